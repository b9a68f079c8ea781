import type { Catalog } from "../charts";
import { overwritten } from "../charts/overwrites";
import { formatPath, mergeValues, type HelmValues } from "../lib/values";
import { problemAt } from "./explain";
import { brief, type Problem } from "./problems";

/** What to do instead, by the end of a path. */
const instead: Readonly<Record<string, string>> = {
    "kcm.kof.repo.name": ", and set kof:values.global.helmRepo.name",
    "daemon.image.tag": ": the daemon has the image of its KOF version, unless image.digest names another",
};

/**
 * Values without effect, as a layer of KOF merges its own over them.
 *
 * @param decided the umbrella's values that settings decide and that layers read.
 */
export function overwriteProblems(catalog: Catalog, values: HelmValues, decided: HelmValues): Problem[] {
    return overwritten(catalog, values, mergeValues(values, decided)).map((each) => {
        const put = each.instead === undefined ? "" : `, ${brief(each.instead)},`;
        const because = each.when.map((path) => `${formatPath(path)} is true`).join(" and ");
        const way = Object.entries(instead).find(([end]) => formatPath(each.path).endsWith(`.${end}`))?.[1] ?? "";
        return problemAt(
            ["values", ...each.path],
            `is ${brief(each.value)}, which never arrives: KOF ${catalog.version} puts its own value${put} over it` +
                `${because === "" ? "" : ` as ${because}`}. Remove it${way}`,
        );
    });
}
