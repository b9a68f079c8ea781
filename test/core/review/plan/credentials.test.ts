import assert from "node:assert/strict";

import { acknowledgement, planOf, refused, verdictOf, type Plan } from "../../../../core/review/plan";
import { credentialChanges } from "../../../../core/review/plan/credentials";
import { planText } from "../../../../core/review/plan/text";
import { settingsSchema } from "../../../../core/settings/settings";
import { deploymentFor, routes, type Raw } from "../../../support";

const cloudwatch = (credentials: object): Raw => ({
    route: "cloudwatch",
    cloudwatch: { region: "us-east-2", credentials },
});
const keys = (...generations: string[]) => cloudwatch({ kind: "accessKey", generations });
const secret = (name: string) => cloudwatch({ kind: "existingSecret", name });
const plan = (from: Raw, to: Raw) => planOf(deploymentFor(from), deploymentFor(to));
const told = ({ consequences }: Plan) => consequences.map(({ severity, message }) => `${severity}: ${message}`);

/** The settings with what a consequence says to paste. */
function pasted(to: Raw, { consequences }: Plan): Raw {
    const [first] = consequences;
    const { "kof:cloudwatch": paste } = first?.paste as Record<string, object>;
    return { ...to, cloudwatch: { ...(to.cloudwatch as object), ...paste } };
}

/** What a consequence says to deploy after what is to be pasted, and before what the stack file says. */
function furtherSteps({ consequences }: Plan): string[][] {
    const [, steps = ""] = /^deploy these first(.*), and then what the stack file says now$/.exec(
        consequences[0]?.way ?? "",
    )!;
    return [...steps.matchAll(/, then (\[[^\]]*\])/g)].map(([, list]) => JSON.parse(list!) as string[]);
}

describe("plan of credentials", () => {
    const grafana = (more: object): Raw => ({ route: "none", grafana: { enabled: true, ...more } });
    const all: Readonly<Record<string, Raw>> = {
        ...routes,
        key: keys("1"),
        secret: secret("mine"),
        otherSecret: secret("other"),
        grafana: grafana({}),
        "grafana with a Secret made elsewhere": grafana({ existingSecret: "mine" }),
        "grafana with the Secret's own name": grafana({ existingSecret: "grafana-admin-credentials" }),
    };
    const changes = (from: Raw, to: Raw) =>
        plan(from, to).credentials.map(({ operation, what }) => `${operation}: ${what}`);

    it("never makes or revokes a Secret that is made elsewhere, by you or by KOF", () => {
        const deployments = Object.values(all).map(deploymentFor);
        for (const from of deployments) {
            for (const to of deployments) {
                const found = credentialChanges(from, to);
                for (const { operation, what } of found) {
                    const isForeign = /, (made elsewhere|which KOF makes)/.test(what);
                    const allowed = isForeign ? ["read", "kept", "no longer read"] : ["made", "kept", "revoked"];
                    assert.ok(allowed.includes(operation), `${operation}: ${what}`);
                }
                for (const { name } of to.secrets.filter(({ maker }) => maker !== "stack")) {
                    assert.ok(
                        found.some(
                            ({ operation, what }) =>
                                /^(read|kept)$/.test(operation) && what.includes(`Secret ${name}, `),
                        ),
                    );
                }
            }
        }
    });

    it("keeps reading a Secret of which it reads other keys", () => {
        const otlp = (...headers: string[]): Raw => ({
            route: "otlp",
            otlp: { endpoint: "https://otlp.example.net", headersSecret: "h", headers },
        });
        assert.deepEqual(changes(otlp("Authorization"), otlp("Authorization", "X-Scope-OrgID")), [
            "kept: Authorization and X-Scope-OrgID in Secret h, made elsewhere",
        ]);
    });
});

describe("plan of a rotation", () => {
    it("refuses one that would need a third key, and says what to deploy first", () => {
        for (const [from, to, all, ...ways] of [
            [["1", "2"], ["2", "3"], "1, 2, 3", ["2"]],
            [["1", "2"], ["1", "3"], "1, 2, 3", ["2"], ["2", "3"], ["3"]],
            [["1", "2"], ["3"], "1, 2, 3", ["2"]],
            [["1", "2"], ["3", "4"], "1, 2, 3, 4", ["2"], ["2", "4"], ["4"]],
            [["1"], ["2", "3"], "1, 2, 3", ["1", "3"], ["3"]],
            [["3"], ["1", "2"], "3, 1, 2", ["2"]],
        ] as const) {
            const first = plan(keys(...from), keys(...to));
            assert.equal(verdictOf(first), "impossible");
            assert.deepEqual(told(first), [
                `impossible: would need the access keys ${all} at once, because a new key is made before an old one is deleted, and AWS allows 2 ` +
                    "for a user",
            ]);
            assert.equal(acknowledgement(first), "", "nothing permits it");
            const printed = [pasted(keys(...to), first), ...furtherSteps(first).map((step) => keys(...step))];
            assert.deepEqual(
                printed,
                ways.map((way) => keys(...way)),
            );
            // What is printed is done one after the other, and nothing else.
            [...printed, keys(...to)].reduce(
                (now, next) => {
                    assert.deepEqual(refused(plan(now, next)), []);
                    return next;
                },
                keys(...from),
            );
        }
        assert.deepEqual(told(plan(keys("2"), keys("2", "3"))), []);
    });

    it("says of one that leaves no overlap how to have one", () => {
        const found = plan(keys("1"), keys("2"));
        assert.deepEqual(told(found), [
            "notice: leaves no overlap: access key 1, which the collectors use, is deleted in the same deployment that has them use 2. The " +
                "deployment waits until all of them have restarted, and fails where one does not",
        ]);
        assert.equal(verdictOf(found), "safe");
        assert.match(
            planText(found),
            /Instead: keep both for one deployment, and drop 1 in the next\.[^]*- "1"\n.*- "2"/,
        );
        const first = pasted(keys("2"), found);
        assert.deepEqual(first, keys("1", "2"));
        assert.deepEqual([told(plan(keys("1"), first)), told(plan(first, keys("2")))], [[], []]);
        // Back to the older of two keys: both are there, and a list that ends with it is not allowed.
        const back = plan(keys("1", "2"), keys("1"));
        assert.match(told(back).join(), /^notice: leaves no overlap: access key 2, /);
        assert.equal(back.consequences[0]?.paste, undefined);
        assert.equal(settingsSchema.cloudwatch.safeParse(keys("2", "1").cloudwatch).success, false);
    });

    it("has nothing to say of two steps, or of keys that come and go with the route", () => {
        const none = { route: "none" };
        for (const [from, to] of [
            [keys("1"), keys("1", "2")],
            [keys("1", "2"), keys("2")],
            [keys("1", "2"), none],
            [none, keys("1", "2")],
            [keys("1"), cloudwatch({ kind: "podIdentity", clusterName: "c" })],
        ] as const) {
            assert.deepEqual(told(plan(from, to)), []);
        }
    });
});

describe("plan of the Secret cloudwatch-credentials", () => {
    it("does not let a stack rely on the Secret that it deletes", () => {
        const found = plan(keys("1"), secret("cloudwatch-credentials"));
        assert.deepEqual(told(found), [
            "impossible: is cloudwatch-credentials, the Secret with the program's own access key, which this deployment deletes",
        ]);
        const mended = pasted(secret("cloudwatch-credentials"), found);
        assert.deepEqual(told(plan(keys("1"), mended)), []);
    });

    it("says that one which is made elsewhere is in the way of the program's own", () => {
        const from = secret("cloudwatch-credentials");
        const found = plan(from, keys("1"));
        assert.match(
            told(found).join(),
            /^impossible: is accessKey, whose Secret cloudwatch-credentials exists already/,
        );
        const acknowledge = acknowledgement(found);
        assert.deepEqual(refused(plan(from, { ...keys("1"), acknowledge })), []);
        assert.deepEqual(told(plan(from, { ...keys("1"), adopt: true })), []);
        assert.deepEqual(told(plan(secret("mine"), keys("1"))), []);
        assert.deepEqual(told(plan(from, secret("mine"))), []);
        // So is one that collectors read although no setting of route cloudwatch names it.
        const secretKeyRef = { name: "cloudwatch-credentials", key: "AWS_ACCESS_KEY_ID" };
        const env = [{ name: "OWN", valueFrom: { secretKeyRef } }];
        const inTheWay = (before: Raw) =>
            refused(plan(before, keys("1"))).filter(
                ({ acknowledge }) => acknowledge === "Secret cloudwatch-credentials",
            );
        assert.equal(inTheWay({ ...routes.otlp, collectors: { env } }).length, 1);
        assert.equal(inTheWay(routes.otlp!).length, 0);
    });
});
