import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import * as pulumi from "@pulumi/pulumi";

import { kofNamespace } from "../core/charts/namespace";
import { writeYaml } from "../core/lib/yaml/write";
import {
    alertConfig,
    alertsName,
    isEvaluatedBy,
    vmRule,
    vmRuleSpec,
    type Alerts,
    type KeyOwner,
} from "../core/routes/alerts";

/** Inputs of {@link AlertRules}. */
interface AlertRulesArgs {
    readonly alerts: Alerts;
    /** When each access key that the stack makes was made, in RFC 3339. */
    readonly keysMade: Readonly<Partial<Record<KeyOwner, pulumi.Input<string>>>>;
    /** What brings the definition of VMRules: the VMRule is made after that, and removed before. */
    readonly after: readonly pulumi.Resource[];
}

/**
 * Alert rules for what evaluates them: for Promxy in a ConfigMap, which kof-operator adds to KOF's own rules (docs/decisions/0012), and
 * for VMAlert in a VMRule (docs/decisions/0014).
 */
export class AlertRules extends pulumi.ComponentResource {
    constructor(name: string, { alerts, keysMade, after }: AlertRulesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("kof:components:AlertRules", name, {}, opts);
        const dated = <T>(of: (made?: Readonly<Partial<Record<KeyOwner, string>>>) => T): pulumi.Input<T> =>
            Object.keys(keysMade).length === 0 ? of() : pulumi.output(keysMade).apply<T>(of);
        const metadata = { name: alertsName, namespace: kofNamespace };
        if (isEvaluatedBy(alerts, "Promxy")) {
            // Empty, because they change no existing rules of a cluster.
            const labels = { "k0rdent.mirantis.com/kof-alert-rules-cluster-name": "" };
            const texts = dated((made) =>
                Object.fromEntries(
                    Object.entries(alertConfig(alerts, made)).map(([group, rules]) => [group, writeYaml(rules)]),
                ),
            );
            new ConfigMap(name, { metadata: { ...metadata, labels }, data: texts }, { parent: this });
        }
        if (isEvaluatedBy(alerts, "VMAlert")) {
            const spec = dated((made) => vmRuleSpec(alerts, made));
            const { apiVersion, kind } = vmRule;
            new CustomResource(name, { apiVersion, kind, metadata, spec }, { parent: this, dependsOn: [...after] });
        }
        this.registerOutputs({});
    }
}
