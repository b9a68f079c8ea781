import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";

import { parse } from "yaml";

import { adoption } from "../../../core/adopt";
import { signals, versions } from "../../../core/charts";
import { checkPaths } from "../../../core/charts/paths";
import { UserError } from "../../../core/lib/errors";
import { leaves } from "../../../core/lib/values";
import { writeYaml } from "../../../core/lib/yaml/write";
import { reviewCollectors } from "../../../core/review/collectors";
import { planOf, verdictOf } from "../../../core/review/plan";
import { planText } from "../../../core/review/plan/text";
import { diagram } from "../../../core/review/summary/diagram";
import { summaryPage } from "../../../core/review/summary/page";
import type { Deployment } from "../../../core/routes/deployment";
import { metaOf } from "../../../core/settings/explain";
import { routeNames, routes, type RouteName, type RouteSettings } from "../../../core/settings/settings";
import { deploymentFor, type Raw } from "../../support";

/** The settings of a route that its own block proposes. */
function proposed(route: RouteName): Raw {
    const { block }: RouteSettings = routes[route];
    return { route, ...(block ? { [route]: metaOf(block).example } : {}) };
}

/** What they resolve to on a version; `undefined` if that version refuses the route, with an error at `kof:route`. */
function deploymentOn(version: string, route: RouteName): Deployment | undefined {
    try {
        return deploymentFor({ ...proposed(route), version });
    } catch (error) {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.message, /kof:route is "\w+", which KOF [\d.]+ does not have/);
        return undefined;
    }
}

// Whatever is in the table of routes has to do all of this: also what is added to it tomorrow.
for (const route of routeNames) {
    const deployments = versions.flatMap((version) => deploymentOn(version, route) ?? []);

    describe(`route ${route}`, () => {
        it("is there in the newest release, with the settings that its block proposes", () => {
            assert.ok(deployments.length > 0);
            assert.equal(deployments.at(-1)?.settings.version, versions.at(-1));
        });

        it("has an example and is in the documentation", () => {
            const stackFiles = fs
                .readdirSync("examples", { recursive: true, encoding: "utf8" })
                .filter((file) => /Pulumi\..*\.yaml$/.test(file))
                .map((file) => parse(fs.readFileSync(path.join("examples", file), "utf8")) as { config?: Raw });
            assert.ok(stackFiles.some(({ config }) => config?.["kof:route"] === route));
            assert.match(fs.readFileSync("docs/switching.md", "utf8"), new RegExp(`\\b${route}\\b`));
        });

        it("gives values that the charts read, without a null", () => {
            for (const { catalog, values } of deployments) {
                assert.deepEqual(checkPaths(catalog, values), [], catalog.version);
                const nulls = [...leaves(values)].filter(([, value]) => value === null);
                assert.deepEqual(nulls, [], catalog.version);
            }
        });

        it("has collectors that nothing is wrong with", () => {
            for (const deployment of deployments) {
                assert.deepEqual(reviewCollectors(deployment).problems, [], deployment.settings.version);
            }
        });

        it("says where every signal ends, and how to find it there, or that this is not possible", () => {
            for (const { destinations, collectors } of deployments) {
                for (const signal of signals) {
                    const destination = destinations[signal];
                    if (!destination.stored) {
                        assert.notEqual(destination.why, "");
                        continue;
                    }
                    assert.ok(collectors.length > 0);
                    for (const { on, reader, address } of destination.ends) {
                        assert.notEqual(address, "");
                        assert.equal(reader !== undefined, on === "cluster" || on === "region" || on === "aws");
                    }
                    const leaves = destination.ends.some(({ on }) => on !== "cluster");
                    assert.equal(leaves, ["regional", "cloudwatch", "otlp"].includes(route));
                }
            }
        });

        it("says who makes each Secret that it needs, and with which keys", () => {
            for (const { secrets } of deployments) {
                const names = secrets.map(({ name }) => name);
                assert.deepEqual(names, [...new Set(names)]);
                assert.ok(secrets.every(({ keys }) => keys.length > 0));
            }
        });

        it("is recognised by its values, as far as they tell", () => {
            for (const { values, settings } of deployments) {
                const { cloudwatch, regional } = settings as Partial<Record<string, any>>;
                const adopted = adoption(writeYaml(values), {
                    version: settings.version,
                    region: regional,
                    credentials: cloudwatch?.credentials,
                });
                assert.equal(adopted.settings.route, route, settings.version);
                assert.deepEqual(adopted.lost, []);
                assert.deepEqual(deploymentFor(adopted.settings).values, values, settings.version);
            }
        });

        it("can be planned from and to every other route, in words and pictures", () => {
            const here = deployments.at(-1)!;
            for (const other of routeNames) {
                const there = deploymentOn(here.settings.version, other);
                assert.ok(there);
                for (const plan of [planOf(here, there), planOf(there, here)]) {
                    assert.ok(planText(plan).length > 0);
                    assert.ok(["safe", "loses", "impossible"].includes(verdictOf(plan)));
                    assert.equal(verdictOf(plan) === "safe" || plan.consequences.length > 0, true);
                }
            }
            assert.match(diagram(here), /^flowchart/m);
            assert.ok(summaryPage("prod", here, here.notices).includes(route));
        });
    });
}
