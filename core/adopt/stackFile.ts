import { writeYaml } from "../lib/yaml/write";

/** What to say above a setting, by its key. */
const remarks: Readonly<Record<string, string>> = {
    adopt: "Takes over what is installed, without recreating it.",
    distribution: "Found by PKI_PATH and metrics-server.",
    regional: "Found by the exporters' addresses and the name of the Secret with the credentials.",
    storageClass: "The class that all volumes have.",
    storage: "As installed: volumes of logs and traces cannot be changed.",
    values: "What the charts read and no setting stands for.",
};

/**
 * A stack file with these settings.
 *
 * @param origin what they are from.
 * @param schema path of the schema for stack files, from where the stack file will be.
 * @param context of the kubeconfig, where the cluster is not the current one.
 */
export function stackFileText(
    settings: Readonly<Record<string, unknown>>,
    origin: string,
    schema: string,
    context?: string,
): string {
    const blocks = Object.entries(settings).flatMap(([key, value]) => {
        const remark = remarks[key];
        const text = writeYaml({ [`kof:${key}`]: value });
        return [...(remark === undefined ? [] : [`# ${remark}`]), ...text.trimEnd().split("\n")];
    });
    return [
        `# yaml-language-server: $schema=${schema}`,
        `# Made by npm run adopt from ${origin}.`,
        "config:",
        ...(context === undefined ? [] : [`  kubernetes:context: ${writeYaml(context).trimEnd()}`]),
        ...blocks.map((line) => `  ${line}`),
        "",
    ].join("\n");
}
