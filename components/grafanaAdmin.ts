import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";

import { grafanaSecretName } from "../core/routes/secrets";
import { kofNamespace } from "../core/charts/namespace";

/** The Secret with Grafana's admin credentials. The password is random. Only the encrypted state and the cluster have it. */
export class GrafanaAdmin extends pulumi.ComponentResource {
    constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:GrafanaAdmin", name, {}, opts);
        // Letters and digits only, because a collector expands a `$` in an environment variable.
        const password = new RandomPassword(name, { length: 24, special: false }, { parent: this });
        new Secret(
            name,
            {
                metadata: { name: grafanaSecretName, namespace: kofNamespace },
                stringData: { GF_SECURITY_ADMIN_USER: "admin", GF_SECURITY_ADMIN_PASSWORD: password.result },
            },
            { parent: this },
        );
        this.registerOutputs({});
    }
}
