import assert from "node:assert/strict";

import type { CatalogSwitch } from "../../../core/charts";
import { isOn, settingIn } from "../../../core/charts/setting";
import type { HelmValues } from "../../../core/lib/values";

const places = [
    { path: ["own", "size"], default: null },
    { path: ["common", "size"], default: "10Gi" },
];

describe("a setting with several places", () => {
    it("is what its first place says, by a value or by default", () => {
        assert.deepEqual(settingIn({ places }, {}), { value: "10Gi", place: places[1] });
        assert.deepEqual(settingIn({ places }, { common: { size: "5Gi" } })?.value, "5Gi");
        assert.deepEqual(settingIn({ places }, { own: { size: "1Gi" }, common: { size: "5Gi" } }), {
            value: "1Gi",
            place: places[0],
        });
    });

    for (const empty of [null, false, 0, "", [], {}]) {
        it(`passes over ${JSON.stringify(empty)}, as Helm's templates do`, () => {
            assert.equal(settingIn({ places }, { own: { size: empty } })?.value, "10Gi");
            assert.equal(settingIn({ places: [{ path: ["own"], default: empty }] }, undefined), undefined);
        });
    }
});

describe("a switch", () => {
    const place = { path: ["x"], default: null };
    const cases: readonly [CatalogSwitch["on"], HelmValues, boolean][] = [
        ["true", { x: true }, true],
        ["true", { x: false }, false],
        ["true", {}, false],
        ["empty", {}, true],
        ["empty", { x: "" }, true],
        ["empty", { x: "claim" }, false],
        ["missing", {}, true],
        // An emptyDir without options is one all the same.
        ["missing", { x: {} }, false],
    ];
    for (const [on, values, expected] of cases) {
        it(`on by ${on} is ${expected ? "on" : "off"} with ${JSON.stringify(values)}`, () => {
            assert.equal(isOn({ ...place, places: [place], on }, values), expected);
        });
    }
});
