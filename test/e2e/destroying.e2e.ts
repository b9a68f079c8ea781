import assert from "node:assert/strict";

import { CloudWatchLogsClient, DeleteLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";

import { umbrellaObjects } from "../../core/charts/umbrella";
import { alertsName, vmRule, vmRuleSpec } from "../../core/routes/alerts";
import { broughtBy } from "../../tools/servers/crds";
import { deploymentFor } from "../support";
import { endToEnd, namespace, succeed } from "./run";

endToEnd("a deployment", (run) => {
    const { routes, aws } = run;
    const rules = () => run.cluster.api.get<{ spec: object }>(`${vmRule.path}/${alertsName}`);
    /** The kinds that a command has made or deleted, in order. */
    const kindsIn = (output: string, fate: "created" | "deleted") =>
        [...output.matchAll(new RegExp(`:(HelmRelease|VMRule) \\S+ ${fate} \\(`, "g"))].map(([, kind]) => kind);

    for (const keepLogGroups of [false, true]) {
        it(`leaves ${keepLogGroups ? "its log groups" : "nothing"} in AWS with keepLogGroups ${keepLogGroups}`, async () => {
            const logGroup = `${aws.logGroup}-${keepLogGroups ? "kept" : "gone"}`;
            await run.deploy({ ...routes.cloudwatch, cloudwatch: { ...aws, logGroup, keepLogGroups } });
            const { logGroups: made } = run.stack.outputs();
            await succeed(run.stack.destroy());
            const client = new CloudWatchLogsClient({ region: aws.region });
            const { logGroups = [] } = await client.send(
                new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroup }),
            );
            const names = logGroups.map(({ logGroupName }) => logGroupName);
            assert.ok(made.includes(logGroup));
            assert.deepEqual(names, keepLogGroups ? made : []);
            const { Users } = await new IAMClient({ region: "us-east-1" }).send(
                new ListUsersCommand({ PathPrefix: "/kof/" }),
            );
            assert.deepEqual(Users, []);
            for (const logGroupName of names) {
                await client.send(new DeleteLogGroupCommand({ logGroupName }));
            }
        });
    }

    it("removes what it made in the reverse order, and runs no program", async function () {
        if (run.realFlux) {
            this.skip();
        }
        await run.deploy(routes.management!);
        run.configure({ route: "nowhere" });
        await succeed(run.stack.refresh());
        assert.ok(await rules());
        run.flux.events.length = 0;
        const output = await succeed(run.stack.destroy());
        assert.deepEqual([kindsIn(output, "deleted")[0], await rules()], ["VMRule", undefined]);
        const order = run.flux.events.map((event) => event.replace("uninstall ", ""));
        const { catalog, values } = deploymentFor(routes.management!);
        for (const { kind, name, dependsOn } of umbrellaObjects(catalog, values)) {
            if (kind === "HelmRelease") {
                assert.ok(order.includes(name), name);
                for (const other of dependsOn) {
                    assert.ok(order.indexOf(name) < order.indexOf(other), `${name} goes before ${other}`);
                }
            }
        }
        assert.deepEqual(await run.objects(), []);
        assert.equal(await run.cluster.read(namespace), undefined);
        const storageClass = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name: "kof" } };
        assert.equal(await run.cluster.read(storageClass), undefined);
    });

    it("makes a VMRule once a release has brought its definition, and misses none whose definition is gone", async function () {
        if (run.realFlux) {
            this.skip();
        }
        const management = routes.management!;
        const [definition] = broughtBy["victoria-metrics-operator"]!;
        const undefine = async () => {
            await run.cluster.remove(definition!);
            assert.equal((await run.cluster.api.request("GET", vmRule.path)).status, 404);
        };
        // KOF leaves it, and so does another case.
        await undefine();
        run.configure(management);
        assert.match(await succeed(run.stack.preview()), /VMRule alerts create/);
        const kinds = kindsIn(await run.deploy(management), "created");
        assert.deepEqual([kinds.indexOf("VMRule"), kinds.at(-1)], [kinds.length - 1, "VMRule"]);
        assert.deepEqual((await rules())?.spec, vmRuleSpec(deploymentFor(management).alerts));

        await undefine();
        await run.deploy(await run.permitted(routes.none!));
        await succeed(run.stack.expectNoChanges());
    });
});
