import { UserError } from "../core/lib/errors";
import { Kubernetes } from "../live/kubernetes";
import type { RoleToAssume } from "../live/awsClient";
import type { Live } from "../live/findings";
import { deploymentOfFile, type StackFile } from "./stackFile";

/**
 * What a stack file describes: its deployment, the cluster that it is for, and the access to AWS.
 *
 * @throws UserError if the file is wrong, or names a cluster that it cannot reach.
 */
export function connect(stackFile: StackFile): Live {
    const { file, config, secretKeys } = stackFile;
    const deployment = deploymentOfFile(stackFile);
    const encrypted = secretKeys.includes("kubernetes:kubeconfig");
    if (encrypted && !process.env.KUBECONFIG) {
        throw new UserError(
            `${file} holds an encrypted kubernetes:kubeconfig, which only Pulumi can read. Write it to a file for this command:\n\n` +
                "  pulumi config get kubernetes:kubeconfig > kubeconfig && export KUBECONFIG=$PWD/kubeconfig",
        );
    }
    const kubeconfig = encrypted ? undefined : config["kubernetes:kubeconfig"];
    const [context, cluster] = [config["kubernetes:context"], config["kubernetes:cluster"]];
    return {
        deployment,
        kubernetes: Kubernetes.connect({ kubeconfig, context, cluster }),
        aws: { profile: config["aws:profile"], assumeRoles: assumedRoles(file, config) },
    };
}

/** The roles that Pulumi's AWS provider takes on, as a stack file has them. */
function assumedRoles(file: string, config: StackFile["config"]): readonly RoleToAssume[] {
    const key = ["aws:assumeRoles", "aws:assumeRole"].find((each) => config[each] !== undefined);
    if (key === undefined) {
        return [];
    }
    try {
        const given = [JSON.parse(config[key] ?? "")].flat() as readonly Partial<RoleToAssume>[];
        return given.flatMap(({ roleArn, ...more }) => (roleArn === undefined ? [] : [{ ...more, roleArn }]));
    } catch {
        throw new UserError(
            `${file}: ${key} is no list of roles. Write:\n\n  pulumi config set --path '${key}[0].roleArn' arn:aws:iam::123456789012:role/NAME`,
        );
    }
}
