import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import * as pulumi from "@pulumi/pulumi";

import { kofNamespace } from "../core/charts/namespace";
import { writeYaml } from "../core/lib/yaml/write";
import { alertConfig, alertsName, type Alerts, type KeyOwner } from "../core/routes/alerts";

/** Inputs of {@link AlertRules}. */
export interface AlertRulesArgs {
    readonly alerts: Alerts;
    /** When each access key that the stack makes was made, in RFC 3339. */
    readonly keysMade: Readonly<Partial<Record<KeyOwner, pulumi.Input<string>>>>;
}

/** Alert rules, in a ConfigMap that kof-operator reads. It adds them to KOF's own rules (docs/decisions/0012). */
export class AlertRules extends pulumi.ComponentResource {
    constructor(name: string, { alerts, keysMade }: AlertRulesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:AlertRules", name, {}, opts);
        const texts = (made?: Readonly<Partial<Record<KeyOwner, string>>>) =>
            Object.fromEntries(
                Object.entries(alertConfig(alerts, made)).map(([group, rules]) => [group, writeYaml(rules)]),
            );
        new ConfigMap(
            name,
            {
                metadata: {
                    name: alertsName,
                    namespace: kofNamespace,
                    // Empty, because they change no existing rules of a cluster.
                    labels: { "k0rdent.mirantis.com/kof-alert-rules-cluster-name": "" },
                },
                data: Object.keys(keysMade).length === 0 ? texts() : pulumi.output(keysMade).apply(texts),
            },
            { parent: this },
        );
        this.registerOutputs({});
    }
}
