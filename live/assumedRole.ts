import { kofNamespace } from "../core/charts/namespace";
import { CouldNotCheck } from "../core/lib/errors";
import { accessKeySecret } from "../core/routes/cloudwatch";
import { answerIn, clientOptions, inTime, notAws, showCaller, withSts } from "./awsClient";
import type { Check, Findings, Live } from "./findings";
import { secretValues } from "./secrets";

/** Whether the collectors may take on the role of another account that they write by. */
export const assumedRole: readonly Check[] = [{ title: "Role in another AWS account", look: findingsOf }];

/** Whether the collectors may assume the role: with their own key, where they have one. */
async function findingsOf({ deployment: { cloudwatch }, kubernetes, aws }: Live): Promise<Findings> {
    if (!cloudwatch?.central) {
        return undefined;
    }
    const { roleArn, externalId, account } = cloudwatch.central;
    const { credentials, region } = cloudwatch;
    if (credentials.kind === "podIdentity" || credentials.kind === "irsa") {
        throw new CouldNotCheck(
            `only the collectors' pods have the identity that assumes ${roleArn}. Where they may not, they say AccessDenied`,
            `kubectl logs -n ${kofNamespace} -l app.kubernetes.io/component=opentelemetry-collector --tail=100 --prefix`,
        );
    }
    const name = accessKeySecret(credentials);
    const secret = await secretValues({ kubernetes }, name);
    const [accessKeyId = "", secretAccessKey = ""] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map((key) =>
        secret?.get(key),
    );
    if (accessKeyId === "" || secretAccessKey === "") {
        throw new CouldNotCheck(
            `Secret ${kofNamespace}/${name} has no key yet with which to assume ${roleArn}`,
            `kubectl describe secret -n ${kofNamespace} ${name}`,
        );
    }
    const options = { ...clientOptions({ region }, {}), credentials: { accessKeyId, secretAccessKey } };
    const asked = {
        RoleArn: roleArn,
        RoleSessionName: "kof-doctor",
        // The shortest that there is.
        DurationSeconds: 900,
        ExternalId: externalId,
    };
    try {
        const { Credentials } = await withSts(options, (sts) => inTime((limit) => sts.assumeRole(asked, limit), aws));
        if (Credentials?.AccessKeyId === undefined) {
            throw new CouldNotCheck(`AWS does not answer: ${notAws()}`, showCaller);
        }
        return undefined;
    } catch (error) {
        const { reason } = answerIn(error);
        return {
            severity: "problem",
            what: `the collectors may not assume ${roleArn}: ${reason}`,
            why:
                `Nothing reaches account ${account}; over OTLP the collectors do not even start. The role has to be there, and to trust ` +
                "them.",
            fix: "npm run render -- --stack NAME    # summary.md has what that account needs",
        };
    }
}
