import { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation";
import { AccessKey } from "@pulumi/aws/iam/accessKey";
import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { User } from "@pulumi/aws/iam/user";
import { UserPolicy } from "@pulumi/aws/iam/userPolicy";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";

import { kofNamespace } from "../core/charts/namespace";
import { maxKeyAgeDays } from "../core/routes/cloudwatch";
import type { Policy } from "../core/routes/policies";
import type { AwsIdentity } from "../core/settings/settings";
import { irsaTrust, podIdentityTrust, type Trusted } from "./policies";

/** How pods authenticate at AWS. For an existing Secret, the stack makes no credentials. */
export type AwsCredentials = AwsIdentity & {
    /** Region of the EKS cluster of `podIdentity`, if that names none. */
    readonly regionByDefault: string;
    /** Name of the Secret that holds the last key of `accessKey`. */
    readonly secretName?: string | undefined;
    /** Name of the role of `irsa`: fixed, because the service accounts name it. */
    readonly roleName?: string | undefined;
};

/** Inputs of {@link declareIdentity}. */
export interface IdentityArgs {
    readonly credentials: AwsCredentials;
    /** What it may do, in JSON. */
    readonly policy: pulumi.Input<string>;
    /** The pods that may use a role. */
    readonly pods: Trusted;
    /** The Secret's keys for the access key ID and the secret access key. */
    readonly secretKeys: { readonly id: string; readonly secret: string };
    /** The purpose of the access key, and the setting of its generations, for a warning about its age. */
    readonly keyOf: { readonly title: string; readonly setting: string };
    /** Tags of everything that can have tags. */
    readonly tags: Readonly<Record<string, string>>;
}

/** The outputs of an identity that other components use. */
interface Identity {
    /** When the access key of each generation was made, in RFC 3339. */
    readonly accessKeys: Readonly<Record<string, pulumi.Output<string>>>;
    /** The Secret with the access key in use; `undefined` where there is none. */
    readonly secret: Secret | undefined;
}

const noIdentity: Identity = { accessKeys: {}, secret: undefined };

/**
 * Declares the identity of pods at AWS, with exactly the rights of one policy. It is a user whose access key is in a Secret in the
 * cluster, or a role for exactly these pods. Part of the component that needs it, so that its resources have that component's name.
 */
export function declareIdentity(name: string, args: IdentityArgs, parent: pulumi.ComponentResource): Identity {
    const { credentials, pods, tags } = args;
    switch (credentials.kind) {
        case "accessKey":
            return user(name, credentials, args, parent);
        case "podIdentity": {
            const { clusterName, region = credentials.regionByDefault } = credentials;
            const { arn: roleArn } = role(name, podIdentityTrust(clusterName, pods), args, parent);
            for (const serviceAccount of pods.names) {
                new PodIdentityAssociation(
                    `${name}-${serviceAccount}`,
                    { clusterName, region, namespace: kofNamespace, serviceAccount, roleArn, tags },
                    { parent },
                );
            }
            return noIdentity;
        }
        case "irsa":
            role(name, irsaTrust(credentials.oidcProviderArn, pods), args, parent, credentials.roleName);
            return noIdentity;
        case "existingSecret":
            return noIdentity;
    }
}

function role(
    name: string,
    trust: Policy,
    { policy, tags }: IdentityArgs,
    parent: pulumi.ComponentResource,
    roleName?: string,
): Role {
    const made = new Role(
        name,
        {
            ...(roleName === undefined ? {} : { name: roleName }),
            path: "/kof/",
            assumeRolePolicy: JSON.stringify(trust),
            tags,
        },
        { parent },
    );
    new RolePolicy(name, { role: made.name, policy }, { parent });
    return made;
}

function user(
    name: string,
    { generations, secretName = "" }: Extract<AwsCredentials, { kind: "accessKey" }>,
    { policy, secretKeys, keyOf, tags }: IdentityArgs,
    parent: pulumi.ComponentResource,
): Identity {
    const made = new User(name, { path: "/kof/", tags }, { parent });
    const userPolicy = new UserPolicy(name, { user: made.name, policy }, { parent });
    const keys = generations.map((generation) => ({
        generation,
        key: new AccessKey(`${name}-${generation}`, { user: made.name }, { parent }),
    }));
    const current = keys.at(-1)?.key;
    if (!current) {
        throw new Error("An access key needs at least one generation.");
    }
    for (const { generation, key } of keys) {
        // A preview knows it too, for an existing key.
        key.createDate.apply((date) => {
            warnOfAge(generation, date, keyOf);
        });
    }
    const secret = new Secret(
        name,
        {
            metadata: { name: secretName, namespace: kofNamespace },
            stringData: { [secretKeys.id]: current.id, [secretKeys.secret]: current.secret },
        },
        // The Secret comes after the policy, so a pod with the Secret may write.
        { parent, dependsOn: [userPolicy] },
    );
    return {
        accessKeys: Object.fromEntries(keys.map(({ generation, key }) => [generation, key.createDate])),
        secret,
    };
}

function warnOfAge(generation: string, made: string, { title, setting }: IdentityArgs["keyOf"]): void {
    const days = Math.floor((Date.now() - Date.parse(made)) / 86_400_000);
    if (days > maxKeyAgeDays) {
        void pulumi.log.warn(
            `The ${title} access key of generation ${generation} is ${String(days)} days old. Rotate it: add a label to ` +
                `${setting}.generations and deploy, then remove the old one and deploy again.`,
        );
    }
}
