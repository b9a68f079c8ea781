import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";

import { grafanaSecretName } from "../core/routes/secrets";
import { kofNamespace } from "../core/charts/namespace";

/** The Secret with Grafana's admin credentials, the password random and known to the encrypted state only. */
export class GrafanaAdmin extends pulumi.ComponentResource {
    constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:GrafanaAdmin", name, {}, opts);
        // Letters and digits only: in an environment variable of a collector a `$` would be expanded.
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
