import { kofNamespace } from "../core/charts/namespace";
import type { Archive } from "../core/routes/archives";
import type { Finding } from "./findings";
import type { Kubernetes } from "./kubernetes";
import type { ApiObject } from "./objects";

/** What runs the exporter of an archive, as far as it matters here. */
export interface CronJob extends ApiObject {
    readonly spec: {
        readonly suspend?: boolean;
        readonly jobTemplate: {
            readonly metadata?: Pick<ApiObject["metadata"], "labels" | "annotations">;
            readonly spec: {
                readonly template: {
                    readonly metadata?: object;
                    readonly spec: {
                        readonly containers: readonly {
                            readonly name: string;
                            readonly env?: readonly { readonly name: string; readonly value?: string }[];
                        }[];
                    };
                };
            };
        };
    };
    readonly status?: {
        readonly active?: readonly { readonly name: string }[];
        readonly lastSuccessfulTime?: string;
    };
}

/** The CronJob of an archive's exporter; `undefined` where there is none. */
export function cronJobOf({ name }: Pick<Archive, "name">, kubernetes: Kubernetes): Promise<CronJob | undefined> {
    return kubernetes.get<CronJob>(`/apis/batch/v1/namespaces/${kofNamespace}/cronjobs/${name}`);
}

/** That the exporter of an archive is not to run. */
export function suspended({ name }: Pick<Archive, "name">): Finding {
    return {
        severity: "problem",
        what: `CronJob ${name} is suspended`,
        why: "It exports nothing by itself, and looks back only a day when it goes on.",
        fix: `kubectl patch cronjob -n ${kofNamespace} ${name} -p '{"spec":{"suspend":false}}'`,
    };
}
