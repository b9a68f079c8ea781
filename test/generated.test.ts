import assert from "node:assert/strict";
import * as fs from "node:fs";

import { parse } from "yaml";

import { generatedFiles } from "../tools/generate";
import { routeNames } from "../core/settings/settings";

describe("generated files", () => {
    it("are what the settings make of them", async () => {
        for (const [file, text] of Object.entries(await generatedFiles())) {
            assert.equal(fs.readFileSync(file, "utf8"), text, `${file} is stale: run npm run generate`);
        }
    });

    it("declare every setting to Pulumi with type, default and description", () => {
        const { config } = parse(fs.readFileSync("Pulumi.yaml", "utf8")) as { config: Record<string, any> };
        for (const key of Object.values(config)) {
            assert.deepEqual(Object.keys(key), ["type", "default", "description"]);
            // The engine refuses a project with a default of another type (3.274.1).
            assert.equal(typeof key.default, key.type);
        }
        assert.equal(config["kof:route"].default, "none");
        assert.deepEqual(config["kof:cloudwatch"], { ...config["kof:cloudwatch"], type: "object", default: {} });
    });

    it("tell editors what a stack file can hold", () => {
        const schema = JSON.parse(fs.readFileSync("stacks/stack-file.schema.json", "utf8"));
        const { properties, additionalProperties } = schema.properties.config;
        assert.deepEqual(properties["kof:route"].enum, routeNames);
        assert.equal(additionalProperties, false);
        assert.equal(properties["kof:cloudwatch"].additionalProperties, false);
    });
});
