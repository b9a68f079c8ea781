import assert from "node:assert/strict";

import type { OfflineRun, RunOptions } from "../../cli/offline";
import { runOffline } from "../../cli/program";
import { settingsSchema } from "../../core/settings/settings";
import { refusedRun, stackFile, type Raw, optionsOf } from "../support";
import { sample } from "../sampled";

/** What AWS has under the name of a log group. Default: for ever, with CloudWatch's own key, without a tag. */
interface Has {
    readonly retentionInDays?: number;
    readonly kmsKeyId?: string;
    readonly tags?: Readonly<Record<string, string>>;
}

/** AWS with these log groups, and others whose names start the same. */
function has(groups: Readonly<Record<string, Has>>): NonNullable<RunOptions["answers"]> {
    return {
        "aws:cloudwatch/getLogGroups:getLogGroups": ({ logGroupNamePrefix }) => ({
            logGroupNames: Object.keys(groups)
                .flatMap((name) => [`${name}-other`, name])
                .filter((name) => name.startsWith(String(logGroupNamePrefix))),
        }),
        "aws:cloudwatch/getLogGroup:getLogGroup": ({ name }) => {
            assert.ok(groups[String(name)], String(name));
            return { retentionInDays: 0, kmsKeyId: "", tags: {}, ...groups[String(name)] };
        },
    };
}

const denied = () => {
    throw new Error("AccessDeniedException");
};
/** AWS that lets nobody look. */
const hidden = { "aws:cloudwatch/getLogGroups:getLogGroups": denied };

const region = "us-east-2";
/** One log group for all. */
const cloudwatch = (more: object = {}): Raw => ({
    route: "cloudwatch",
    cloudwatch: { region, logGroup: "management", auditLogGroup: "management", ...more },
});
const unnamed = { route: "cloudwatch", cloudwatch: { region } };
const none = { route: "none" };
const mine = { "kof-cluster": "mothership", "kof-stack": "kof/test", "managed-by": "pulumi" };
const key = (id: string) => `arn:aws:kms:${region}:123456789012:key/${id}`;

type Aws = NonNullable<RunOptions["answers"]>;

function up(raw: Raw, aws: Aws = has({}), last?: OfflineRun["outputs"]): Promise<OfflineRun> {
    return runOffline(stackFile(raw), { preview: true, answers: aws, ...(last ? { outputs: last } : {}) });
}

const refusal = (...run: Parameters<typeof up>) => refusedRun(up(...run));

/** What `kof:acknowledge` has to say, by a refusal. */
const asked = (text: string) => /kof:acknowledge: (.*)$/.exec(text)?.[1];

const groupsOf = ({ resources }: OfflineRun) =>
    resources.filter(({ type }) => type === "aws:cloudwatch/logGroup:LogGroup");

/** The only log group of a run. */
function group(run: OfflineRun) {
    const [only, ...others] = groupsOf(run);
    assert.ok(only && others.length === 0);
    return only;
}

const said = ({ messages }: OfflineRun) =>
    messages.filter((message) => !/discards metrics and traces|reclaim policy/.test(message)).join("\n");

describe("a log group that AWS has already", () => {
    const prod = { retentionInDays: 365, tags: { "kof-cluster": "prod" } };

    it("of another cluster, kept for longer: is refused whole, before anything is declared", async () => {
        const text = await refusal(cloudwatch(), has({ management: prod }));
        assert.equal(
            text,
            [
                "Pulumi.test.yaml asks for a change that is refused, compared with what AWS has. Nothing was changed.",
                "  kof:cloudwatch.logGroup leads to log group management in us-east-2, which AWS has already, and its tag kof-cluster says prod. " +
                    "Taking it over gives it the retention, the key and the tags of this stack, which then also writes to it\n" +
                    "    Allowed: another log group, and this one stays as it is\n" +
                    "    Paste:   kof:cloudwatch:\n               logGroup: /kof/mothership",
                "  kof:cloudwatch.retentionDays deletes what log group management in us-east-2 has that is older than 30 days (365d->30d)\n" +
                    "    Paste:   kof:cloudwatch:\n               retentionDays: 365",
                "  kof:acknowledge permits this change, once\n" +
                    "    Paste:   kof:acknowledge: take over log group management in us-east-2 of prod, log group management in us-east-2 365d->30d",
            ].join("\n\n"),
        );
    });

    it("is taken over as it is where that is acknowledged, and with the retention that was pasted", async () => {
        const aws = has({ management: prod });
        const longer = cloudwatch({ retentionDays: 365 });
        const acknowledge = asked(await refusal(longer, aws));
        assert.equal(acknowledge, "take over log group management in us-east-2 of prod");
        const taken = group(await up({ ...longer, acknowledge }, aws));
        assert.deepEqual([optionsOf(taken).import, taken.inputs.retentionInDays], ["management", 365]);
        // The name that leaves it alone does.
        assert.equal(optionsOf(groupsOf(await up(unnamed, aws))[0]!).import, "");
    });

    for (const [whose, tags, acknowledge] of [
        ["nobody's", {}, "take over log group management in us-east-2"],
        [
            "another cluster's",
            { "kof-cluster": "mothership2" },
            "take over log group management in us-east-2 of mothership2",
        ],
        [
            "another stack's",
            { ...mine, "kof-stack": "kof/other" },
            "take over log group management in us-east-2 of kof/other",
        ],
    ] as const) {
        it(`${whose}: is refused until acknowledged`, async () => {
            const aws = has({ management: { retentionInDays: 30, tags } });
            const text = await refusal(cloudwatch(), aws);
            assert.equal(asked(text), acknowledge);
            await refusal({ ...cloudwatch(), acknowledge: "take over log group other in us-east-2" }, aws);
            assert.equal(optionsOf(group(await up({ ...cloudwatch(), acknowledge }, aws))).import, "management");
        });
    }

    it("is taken over with a notice if this stack, or a version that named no stack, tagged it as this cluster's", async () => {
        for (const tags of [mine, { "kof-cluster": "mothership" }]) {
            const run = await up(cloudwatch(), has({ management: { retentionInDays: 30, tags } }));
            assert.equal(optionsOf(group(run)).import, "management");
            assert.equal(
                said(run),
                "warning: kof:cloudwatch.logGroup leads to log group management in us-east-2, which AWS has already, tagged as this " +
                    "cluster's: it is taken over with its logs.",
            );
        }
    });

    it("under the names of two stacks with default settings: the second is refused, and told another name", async () => {
        const first = await up(unnamed);
        const aws = has(
            Object.fromEntries(
                groupsOf(first).map(({ inputs }) => [
                    String(inputs.name),
                    { retentionInDays: Number(inputs.retentionInDays), tags: inputs.tags as Record<string, string> },
                ]),
            ),
        );
        const second = { ...stackFile(unnamed), stack: "second" };
        await assert.rejects(runOffline(second, { preview: true, answers: aws }), (error: Error) => {
            assert.match(error.message, /its tag kof-stack says kof\/test\. [^]*logGroup: \/kof\/mothership-second\n/);
            return true;
        });
        // Of another cluster it has another name.
        assert.deepEqual(
            groupsOf(await up({ ...unnamed, clusterName: "staging" }, aws)).map((each) => optionsOf(each).import),
            ["", ""],
        );
    });

    it("for the audit logs alone: the paste is for those", async () => {
        const aws = has({
            "/kof/mothership-audit": { retentionInDays: 731, tags: { "kof-cluster": "mothership-audit" } },
        });
        const text = await refusal(unnamed, aws);
        assert.match(
            text,
            /^ {2}kof:cloudwatch\.auditLogGroup leads to [^]*auditLogGroup: \/kof\/mothership-audit-test$/m,
        );
        assert.match(text, /^ {2}kof:cloudwatch\.auditRetentionDays deletes [^]*auditRetentionDays: 731$/m);
        const named = { ...unnamed, cloudwatch: { region, auditLogGroup: "audit" } };
        const found = has({ audit: { retentionInDays: 1 } });
        assert.match(await refusal(named, found), /auditLogGroup: \/kof\/mothership-audit\n/);
    });

    it("keeps its events for ever, which no retention does: is refused, whatever the retention", async () => {
        const aws = has({ management: { tags: mine } });
        for (const retentionDays of [30, 3653]) {
            const text = await refusal(cloudwatch({ retentionDays }), aws);
            assert.match(
                text,
                /Allowed: another log group: no setting keeps events for ever\n.*\n *logGroup: \/kof\/mothership/,
            );
            assert.equal(asked(text), `log group management in us-east-2 for ever->${String(retentionDays)}d`);
        }
        const acknowledge = "log group management in us-east-2 for ever->3653d";
        await up({ ...cloudwatch({ retentionDays: 3653 }), acknowledge }, aws);
    });

    it("is never asked to keep its events for less than it does, by any number that AWS knows (sampled)", async () => {
        const { allowed } = settingsSchema.cloudwatch.unwrap().shape.retentionDays.meta() as { allowed: string };
        const days = sample(allowed.match(/\d+/g)!.map(Number), 2);
        const shorter = (was: number, is: number) => was > is;
        for (const was of [1, 30, 365, 3653]) {
            const aws = has({ management: { retentionInDays: was, tags: mine } });
            for (const is of days) {
                const run = up(cloudwatch({ retentionDays: is }), aws);
                await (shorter(was, is) ? assert.rejects(run, /deletes what log group management/) : run);
            }
        }
    });

    it("with another key: is refused where the key would go, and said where it would come", async () => {
        const with_ = (kmsKeyId: string) => has({ management: { retentionInDays: 30, kmsKeyId, tags: mine } });
        const text = await refusal(cloudwatch(), with_(key("a")));
        assert.match(
            text,
            /kof:cloudwatch\.kmsKeyArn encrypts what comes into log group management in us-east-2 with CloudWatch's own key, where AWS has arn:aws:kms:us-east-2:123456789012:key\/a\. What is stored stays with that, and cannot be read without it\n.*\n.*\n *kmsKeyArn: arn:aws:kms:us-east-2:123456789012:key\/a\n/,
        );
        assert.equal(asked(text), "log group management in us-east-2 key a->none");
        assert.equal(
            asked(await refusal(cloudwatch({ kmsKeyArn: key("b") }), with_(key("a")))),
            "log group management in us-east-2 key a->b",
        );
        const same = await up(cloudwatch({ kmsKeyArn: key("a") }), with_(key("a")));
        assert.doesNotMatch(said(same), /kmsKeyArn/);
        const first = await up(cloudwatch({ kmsKeyArn: key("a") }), with_(""));
        assert.match(
            said(first),
            /kmsKeyArn encrypts .* with arn:.*key\/a, where AWS has CloudWatch's own key\. What is stored stays as it is/,
        );
    });

    it("keeps the tags that others gave it", async () => {
        const tags = {
            "cost-centre": "7",
            team: "theirs",
            "aws:cloudformation:stack-name": "x",
            "kof-cluster": "prod",
        };
        const aws = has({ management: { retentionInDays: 30, tags } });
        const acknowledge = "take over log group management in us-east-2 of prod";
        const taken = await up({ ...cloudwatch({ tags: { team: "ours", owner: "me" } }), acknowledge }, aws);
        const given = { ...mine, "cost-centre": "7", team: "ours", owner: "me" };
        assert.deepEqual(group(taken).inputs.tags, given);
        // A tag of the stack's own goes when the stack gives it no more.
        const again = await up(
            cloudwatch({ tags: { team: "ours" } }),
            has({ management: { retentionInDays: 30, tags: given } }),
            taken.outputs,
        );
        assert.deepEqual(group(again).inputs.tags, { ...mine, "cost-centre": "7", team: "ours" });
    });
});

describe("a log group whose name only starts the same", () => {
    it("is none of the stack's business", async () => {
        const run = await up(cloudwatch(), has({ "management-2": { tags: { "kof-cluster": "prod" } } }));
        assert.deepEqual([optionsOf(group(run)).import, said(run)], ["", ""]);
    });
});

describe("a log group that the stack has", () => {
    const group30 = { retentionInDays: 30, tags: mine };

    it("has nothing said of it when nothing changed", async () => {
        const first = await up(cloudwatch());
        const again = await up(cloudwatch(), has({ management: group30 }), first.outputs);
        assert.deepEqual([said(first), said(again)], ["", ""]);
        assert.deepEqual(group(again).inputs, group(first).inputs);
        assert.deepEqual(again.outputs, first.outputs);
    });

    it("is compared with what AWS has, not with what was last deployed", async () => {
        const { outputs } = await up(cloudwatch({ retentionDays: 60 }));
        const byHand = has({ management: { ...group30, retentionInDays: 365 } });
        const refused = (retentionDays: number) => refusal(cloudwatch({ retentionDays }), byHand, outputs);
        assert.equal(asked(await refused(30)), "log group management in us-east-2 365d->30d");
        assert.doesNotMatch(await refused(30), /Somebody/);
        // What the engine takes for done already it would not do.
        const refresh =
            /It was changed outside this stack since the last deployment: .* deploy with pulumi up --refresh\n/;
        assert.match(await refused(60), refresh);
        // What is gone already cannot be lost.
        assert.equal(said(await up(cloudwatch(), has({ management: group30 }), outputs)), "");
        assert.equal(said(await up(cloudwatch(), has({}), outputs)), "");
        const taken = has({ management: { ...group30, tags: { "kof-cluster": "prod" } } });
        const text = await refusal(cloudwatch(), taken, outputs);
        assert.match(text, /its tag kof-cluster says prod\. It was changed/);
        assert.match(text, refresh);
    });

    it("is still its own after the cluster, or the stack, got another name, and without its tags", async () => {
        const { outputs } = await up(cloudwatch());
        const renamed = await up({ ...cloudwatch(), clusterName: "new" }, has({ management: group30 }), outputs);
        assert.equal((group(renamed).inputs.tags as any)["kof-cluster"], "new");
        for (const tags of [{}, { ...mine, "kof-stack": "old" }]) {
            assert.equal(said(await up(cloudwatch(), has({ management: { ...group30, tags } }), outputs)), "");
        }
    });

    it("says what another key means", async () => {
        const { outputs } = await up(cloudwatch({ kmsKeyArn: key("a") }));
        const aws = has({ management: { ...group30, kmsKeyId: key("a") } });
        assert.match(
            said(await up(cloudwatch(), aws, outputs)),
            /^warning: kof:cloudwatch\.kmsKeyArn encrypts .* cannot be read without it\.$/,
        );
    });

    it("can be deleted only if it made it", async () => {
        const temporary = cloudwatch({ keepLogGroups: false });
        const keeps = (run: OfflineRun) => optionsOf(group(run)).retainOnDelete;
        const made = await up(temporary);
        assert.equal(keeps(made), false);
        assert.deepEqual(made.outputs.cloudwatch, { logGroup: "management", made: ["management@us-east-2"] });
        const aws = has({ management: group30 });
        const again = await up(temporary, aws, made.outputs);
        assert.deepEqual([keeps(again), said(again)], [false, ""]);
        assert.equal(asked(await refusal(none, aws, again.outputs)), "delete log group management in us-east-2");
        // One of the same name in another region is another.
        await refusal({ ...none, acknowledge: "delete log group management in eu-west-1" }, aws, again.outputs);
        // Somebody else may have recreated it.
        const others = has({ management: { ...group30, tags: { "kof-cluster": "prod" } } });
        const acknowledge = "take over log group management in us-east-2 of prod";
        assert.equal(keeps(await up({ ...temporary, acknowledge }, others, again.outputs)), true);

        const taken = await up(temporary, aws);
        assert.equal(keeps(taken), true);
        assert.match(
            said(taken),
            /keepLogGroups is false, but log group management in us-east-2 stays: there is no record that this stack made it/,
        );
        const later = await up(temporary, aws, taken.outputs);
        assert.equal(keeps(later), true);
        const gone = await up(none, aws, later.outputs);
        assert.deepEqual(gone.outputs.left, {
            "log group management in us-east-2":
                "aws logs delete-log-group --region us-east-2 --log-group-name management",
        });

        // Kept and found again, it is still what the stack made; deleted, it is not.
        const kept = await up(none, aws, (await up(cloudwatch())).outputs);
        assert.equal(keeps(await up(temporary, aws, kept.outputs)), false);
        const deleted = await up(
            { ...none, acknowledge: "delete log group management in us-east-2" },
            aws,
            again.outputs,
        );
        assert.equal(deleted.outputs.left, undefined);
        assert.equal(keeps(await up(temporary, aws, deleted.outputs)), true);
    });

    it("is not deleted where the last deployment did not say who made it", async () => {
        const { outputs } = await up(cloudwatch({ keepLogGroups: false }));
        const { cloudwatch: _, ...former } = outputs;
        const text = await refusal(
            { ...none, acknowledge: "delete log group management in us-east-2" },
            has({}),
            former,
        );
        assert.match(text, /Nothing says that this stack made it\n {4}Allowed: deploy keepLogGroups: true first$/);
    });
});

describe("the region of a log group", () => {
    it("is in the name of its resource, so that nothing that was imported is replaced", async () => {
        const aws = has({ management: { retentionInDays: 30, tags: mine } });
        const first = await up(cloudwatch(), aws);
        const away = await up(cloudwatch({ region: "eu-west-1" }), aws, first.outputs);
        const back = await up(cloudwatch(), aws, away.outputs);
        const about = (run: OfflineRun) => [
            group(run).name,
            optionsOf(group(run)).import,
            optionsOf(group(run)).aliases,
        ];
        assert.deepEqual(about(first), ["cloudwatch-management@us-east-2", "management", ["cloudwatch-management"]]);
        // Its former name is that of a group in the other region.
        assert.deepEqual(about(away), ["cloudwatch-management@eu-west-1", "management", []]);
        assert.deepEqual(about(back), ["cloudwatch-management@us-east-2", "management", []]);
        assert.deepEqual(Object.keys(away.outputs.left as object), ["log group management in us-east-2"]);
    });
});

describe("a log group that AWS does not show", () => {
    it("is taken for none by a new stack, and AWS then refuses", async () => {
        const run = await up(cloudwatch(), hidden);
        assert.equal(optionsOf(group(run)).import, "");
        assert.match(
            said(run),
            /^warning: kof:cloudwatch cannot be compared with log group management in us-east-2 \(no reason is given\)\. The program assumes that it does not exist: if it does, AWS refuses to create it, and it stays as it is\.$/,
        );
    });

    it("is not changed where the stack has it, nor deleted unless it made it", async () => {
        const keepLogGroups = false;
        const { outputs } = await up(cloudwatch({ keepLogGroups }));
        const run = await up(cloudwatch({ keepLogGroups, retentionDays: 60 }), hidden, outputs);
        const { ignoreChanges, retainOnDelete } = optionsOf(group(run));
        assert.deepEqual([ignoreChanges, retainOnDelete], [["retentionInDays", "kmsKeyId", "tags"], false]);
        assert.match(said(run), /It stays as it is: retention, key and tags are not changed\.$/);
        assert.deepEqual(optionsOf(group(await up(cloudwatch(), has({}), outputs))).ignoreChanges, []);
        // A shorter retention is a loss all the same, once AWS can be looked at.
        assert.equal(
            asked(await refusal(cloudwatch({ retentionDays: 7 }), hidden, outputs)),
            "log group management in us-east-2 30d->7d",
        );
        const unsure = await up(cloudwatch({ keepLogGroups }), hidden);
        assert.equal(optionsOf(group(unsure)).retainOnDelete, true);
    });

    it("is refused where AWS lists it, but not what it has", async () => {
        const halfHidden = { ...has({ management: {} }), "aws:cloudwatch/getLogGroup:getLogGroup": denied };
        const text = await refusal(cloudwatch(), halfHidden);
        assert.match(
            text,
            /which AWS has already\n {4}Allowed: allow logs:DescribeLogGroups and logs:ListTagsForResource, or take another log group\n.*\n *logGroup: \/kof\/mothership$/,
        );
        const { outputs } = await up(cloudwatch());
        assert.match(said(await up(cloudwatch(), halfHidden, outputs)), /It stays as it is/);
    });
});

describe("the name of the log groups", () => {
    const names = (run: OfflineRun) => run.outputs.logGroups;
    const former = async () => {
        const { outputs } = await up(cloudwatch());
        const { cloudwatch: _, ...rest } = outputs;
        return rest;
    };

    it("is the cluster's, and one that AWS takes", async () => {
        const longest = "a".repeat(63);
        const metrics = { ...unnamed, clusterName: longest, cloudwatch: { region, signals: { metrics: "emf" } } };
        const found = names(await up(metrics)) as string[];
        assert.deepEqual(found, [`/kof/${longest}`, `/kof/${longest}-audit`, `/kof/${longest}-metrics`]);
        for (const name of found) {
            assert.ok(settingsSchema.cloudwatch.safeParse({ region, logGroup: name }).success);
        }
    });

    it("stays what it was where the stack file names none, and the stack file should say it", async () => {
        const run = await up(unnamed, has({}), await former());
        assert.deepEqual(names(run), ["management", "management-audit"]);
        assert.match(
            said(run),
            /kof:cloudwatch\.logGroup is not in Pulumi\.test\.yaml, so that the stack keeps management, .* take \/kof\/mothership for it\. Write it down: kof:cloudwatch: \{logGroup: management\}\./,
        );
        assert.equal((run.outputs.settings as any).cloudwatch.logGroup, "management");
        const named = await up(
            { route: "cloudwatch", cloudwatch: { region, logGroup: "management" } },
            has({}),
            run.outputs,
        );
        assert.equal(said(named), "");
    });

    it("stays what it was on another route too, and when the cluster gets another name", async () => {
        // Pulumi.yaml has every block that a stack file does not have be empty.
        const away = await up({ ...none, cloudwatch: {} }, has({}), await former());
        assert.deepEqual(names(await up(unnamed, has({}), away.outputs)), ["management", "management-audit"]);
        const first = await up(unnamed);
        const renamed = await up({ ...unnamed, clusterName: "new" }, has({}), first.outputs);
        assert.deepEqual(names(renamed), ["/kof/mothership", "/kof/mothership-audit"]);
        // As it was then, should the default ever change again.
        assert.equal((first.outputs.settings as any).cloudwatch.logGroup, "/kof/mothership");
        assert.match(said(first), /is not set: a new stack uses \/kof\/mothership\./);
        assert.equal(said(await up(unnamed, has({}), first.outputs)), "");
    });

    it("is remembered where signals go there beside another route", async () => {
        const beside = { ...unnamed, route: "management", signals: { logs: ["management", "cloudwatch"] } };
        const first = await up(beside);
        assert.equal((first.outputs.settings as any).cloudwatch.logGroup, "/kof/mothership");
        const renamed = await up({ ...beside, clusterName: "new" }, has({}), first.outputs);
        assert.match(String(names(renamed)), /^\/kof\/mothership(,|$)/);
    });

    it("is checked where it is only remembered", async () => {
        const raw = {
            route: "cloudwatch",
            cloudwatch: { region, auditLogGroup: "management-metrics", signals: { metrics: "emf" } },
        };
        assert.match(await refusal(raw, has({}), await former()), /which is where the metrics go/);
    });
});
