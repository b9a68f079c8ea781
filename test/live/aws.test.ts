import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { aws } from "../../live/aws";
import type { AwsAccess } from "../../live/awsClient";
import { runCheck, type Live } from "../../live/findings";
import { logGroups } from "../../live/leftovers";
import { storeOf } from "../../live/stores";
import { destinationsOf } from "../../core/routes/destinations";
import { HttpStandIn, type Answer } from "../../tools/servers/standins";
import { deploymentFor } from "../support";

/** An AWS of its own, which answers every service at one address, as AWS_ENDPOINT_URL has it. */
export function useAws() {
    const variables = ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONFIG_FILE"];
    const kept = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
    let server: HttpStandIn;
    let answer: Answer;
    before(async () => {
        server = await HttpStandIn.start((request) => answer(request));
    });
    beforeEach(() => {
        Object.assign(process.env, {
            AWS_ENDPOINT_URL: `http://127.0.0.1:${String(server.port)}`,
            AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
            AWS_SECRET_ACCESS_KEY: "secret",
        });
    });
    after(async () => {
        for (const name of variables) {
            Reflect.deleteProperty(process.env, name);
            Object.assign(process.env, kept[name] === undefined ? {} : { [name]: kept[name] });
        }
        await server.stop();
    });
    return (by: Answer) => {
        answer = by;
    };
}

const deployment = deploymentFor({ route: "cloudwatch", cloudwatch: { region: "us-east-2" } });
const live = (access: AwsAccess): Live => ({ deployment, kubernetes: undefined as never, aws: access });
const never = () => new Promise<never>(() => undefined);

describe("an AWS that does not answer", () => {
    const answerWith = useAws();
    const impatient = { patience: 50 };
    const message = "AWS does not answer within 0.05 s, logging in included";

    beforeEach(() => {
        answerWith(never);
    });

    it("is waited for a while by doctor, left and verify, which say so", async () => {
        const { findings } = await runCheck(aws[0]!, live(impatient));
        assert.deepEqual(
            findings.map(({ severity, what }) => [severity, what]),
            [["unknown", `could not check: ${message}`]],
        );
        await assert.rejects(logGroups(live(impatient)), { name: "CouldNotCheck", message });
        const { logs } = destinationsOf(deployment, deployment.collectors);
        assert.ok(logs.stored);
        const store = await storeOf("logs", logs.ends, live(impatient));
        const mark = { text: "kofverify1", traceId: "0".repeat(32), time: new Date() };
        await assert.rejects(store.has(mark), { name: "CouldNotCheck", message });
    });

    it("is waited for no longer where a program that logs in does not end", async () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "aws-"));
        fs.writeFileSync(path.join(folder, "config"), "[profile slow]\ncredential_process = sleep 2\n");
        delete process.env.AWS_ACCESS_KEY_ID;
        process.env.AWS_CONFIG_FILE = path.join(folder, "config");
        const { findings } = await runCheck(aws[0]!, live({ ...impatient, profile: "slow" }));
        fs.rmSync(folder, { recursive: true });
        assert.deepEqual(
            findings.map(({ what }) => what),
            [`could not check: ${message}`],
        );
    });
});
