import assert from "node:assert/strict";

import { stringify } from "yaml";

import { adoption } from "../../../core/adopt";
import { differing } from "../../../core/adopt/compare";
import type { AdoptionOptions } from "../../../core/adopt/options";
import { catalogOf, versions } from "../../../core/charts";
import { mergeValues, nest, valueAt, type HelmValues } from "../../../core/lib/values";
import { deploymentFor, routes } from "../../support";

const version = "1.10.0";
const replicas: HelmValues = { promxy: { replicaCount: 1 } };
const values = { "kof-mothership": { values: replicas } };

function release(chart: object, spec: object, name = "kof"): HelmValues {
    return {
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        metadata: { name, namespace: "kof" },
        spec: { ...chart, ...spec },
    };
}
const ofChart = (chart: string, its = version) => ({ chart: { spec: { chart, version: its } } });

/** The text of the error with which a file is refused. */
function refusal(text: string, options: AdoptionOptions = { version }): string {
    try {
        adoption(text, options, "file.yaml");
    } catch (error) {
        assert.equal((error as Error).name, "UserError", String(error));
        return (error as Error).message;
    }
    assert.fail("it was adopted");
}

describe("a file that holds no values of KOF", () => {
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { replicas: 1 } };
    for (const [what, text, found] of [
        ["a manifest", stringify(deployment), "it is a Kubernetes manifest of Deployment web"],
        [
            "manifests",
            `${stringify(deployment)}---\n${stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } })}`,
            "it is a Kubernetes manifest of Deployment web, ConfigMap a",
        ],
        [
            "a kubeconfig",
            stringify({ apiVersion: "v1", kind: "Config", clusters: [], users: [{ user: { token: "hunter2" } }] }),
            "it is a kubeconfig, which --context or KUBECONFIG can name",
        ],
        [
            "a stack file",
            "config:\n  kof:route: none\n",
            "it is a stack file of Pulumi already, which needs no adoption",
        ],
        ["a project file", "name: kof\nruntime: nodejs\n", "it is a project file of Pulumi"],
        ["a chart", "apiVersion: v2\nname: kof\nversion: 1.0.0\n", "it is a Chart.yaml"],
        ["nothing", "", "it is empty"],
        ["remarks only", "# values\n---\n", "it is empty"],
        ["a list", "- a\n", "it is not a map but a list"],
        ["text", "hello\n", "it is not a map but text"],
        [
            "an empty list of kubectl",
            "apiVersion: v1\nkind: List\nitems: []\n",
            "it is a list of kubectl without anything in it",
        ],
        ["values of another chart", "image: {tag: a}\nreplicaCount: 3\n", "no chart reads image, replicaCount"],
        [
            "HelmReleases of other charts",
            stringify(release(ofChart("podinfo"), { values: { "kof-mothership": {} } }, "web")),
            "its HelmReleases (web) are of other charts",
        ],
    ] as const) {
        it(`is refused: ${what}`, () => {
            const message = refusal(text);
            assert.ok(message.startsWith(`file.yaml holds no values of KOF's charts: ${found}`), message);
            assert.match(message, /Nothing was written\.\n\nIt takes\n {2}- a values file of the umbrella chart kof/);
            assert.doesNotMatch(message, /hunter/);
        });
    }
});

describe("adopting a HelmRelease", () => {
    const settings = { route: "none", version, adopt: true, values };

    it("takes its values and its version, alone, among other documents, and as kubectl prints several", () => {
        const kof = release(ofChart("kof"), { values });
        const repository = {
            apiVersion: "source.toolkit.fluxcd.io/v1",
            kind: "HelmRepository",
            metadata: { name: "kof" },
        };
        const component = release(
            ofChart("kof-mothership"),
            { values: { promxy: { replicaCount: 7 } } },
            "kof-mothership",
        );
        for (const text of [
            stringify(kof),
            JSON.stringify(kof),
            `${stringify(repository)}---\n${stringify(kof)}`,
            stringify({ apiVersion: "v1", kind: "List", items: [component, kof] }),
            stringify(release({ chartRef: { kind: "OCIRepository", name: "charts" } }, { values })).replace(
                "spec:",
                "  labels: {helm.sh/chart: kof-1.10.0}\nspec:",
            ),
        ]) {
            const adopted = adoption(text);
            assert.deepEqual(adopted.settings, settings);
            assert.deepEqual([...adopted.corrections, ...adopted.lost], []);
        }
    });

    it("says what it takes from elsewhere", () => {
        const valuesFrom = [
            { kind: "Secret", name: "more" },
            { kind: "ConfigMap", name: "size", valuesKey: "x.yaml", targetPath: "kof-mothership.values.a" },
        ];
        const { settings: found, lost } = adoption(stringify(release(ofChart("kof"), { values, valuesFrom })));
        assert.deepEqual(found, settings);
        assert.deepEqual(lost, [
            "HelmRelease kof takes values from Secret more (key values.yaml), which is not read. Put what it holds into spec.values, secrets left out, and adopt that.",
            "HelmRelease kof takes the value kof-mothership.values.a from ConfigMap size (key x.yaml), which is not read. Put what it holds into spec.values, secrets left out, and adopt that.",
        ]);
    });

    it("names the exporters of archives, which are none of the umbrella's", () => {
        const exporter = release(
            ofChart("audit-logs-exporter"),
            { values: { s3: { bucket: "a" } } },
            "audit-logs-exporter",
        );
        const { settings: found, lost } = adoption(
            stringify({ apiVersion: "v1", kind: "List", items: [release(ofChart("kof"), { values }), exporter] }),
        );
        assert.deepEqual(found, settings);
        assert.deepEqual(lost, [
            "HelmRelease audit-logs-exporter is the exporter of an archive, which is installed separately: how kof:auditArchive takes it over is in docs/archives.md.",
        ]);
    });

    /** What the umbrella's template gives a component: its values, with what layers put over them. */
    function made(umbrella: HelmValues, chart: string): HelmValues {
        const own = valueAt(umbrella, [chart, "values"]) as HelmValues;
        const layers = catalogOf(version).overwrites.filter(
            ({ component, when }) =>
                (component === null ? chart === "kof-mothership" : component === chart) &&
                when.every((path) => valueAt(umbrella, path) === true),
        );
        return mergeValues(
            own,
            ...layers.flatMap(({ path, from, value }) => {
                const put = from === null ? value : valueAt(umbrella, from);
                return put === undefined || put === null ? [] : [nest(path, put)];
            }),
        );
    }

    it("takes what the umbrella has made of its components, without the charts' own values", () => {
        for (const name of ["none", "management", "regionless"]) {
            const { umbrella, settings: wanted } = deploymentFor({
                ...routes[name],
                storageClass: undefined,
                version,
                values,
            });
            const items = Object.entries(umbrella).flatMap(([chart, component]) =>
                valueAt(component, ["enabled"]) === true && valueAt(component, ["values"]) !== undefined
                    ? [
                          release(
                              { chartRef: { kind: "HelmChart", name: chart } },
                              { values: made(umbrella, chart) },
                              chart,
                          ),
                      ]
                    : [],
            );
            assert.ok(items.length > 3);
            const adopted = adoption(stringify({ apiVersion: "v1", kind: "List", items }), { version });
            assert.equal(adopted.settings.route, name);
            assert.deepEqual(adopted.settings.values, values);
            assert.deepEqual([adopted.corrections, adopted.lost, adopted.leftovers], [[], [], {}]);
            if (wanted.route === "regionless") {
                const { domain, certEmail } = wanted.regionless;
                assert.deepEqual(adopted.settings.regionless, { domain, certEmail });
            }
        }
    });

    it("knows the chart of a component, and stops where there are two of one", () => {
        const storage = release(
            ofChart("kof-storage", "1.9.0"),
            { values: { "victoria-logs-cluster": { vlselect: { replicaCount: 5 } } } },
            "x",
        );
        const { settings: found } = adoption(stringify(storage));
        assert.deepEqual([found.route, found.version], ["management", "1.9.0"]);
        assert.equal(
            valueAt(found.values as HelmValues, [
                "kof-storage",
                "values",
                "victoria-logs-cluster",
                "vlselect",
                "replicaCount",
            ]),
            5,
        );
        const twice = stringify({ apiVersion: "v1", kind: "List", items: [storage, storage] });
        assert.match(refusal(twice), /it has several HelmReleases of kof-storage, and a stack is of one/);
    });
});

describe("adopting what helm get values prints", () => {
    it("takes it with its title, as JSON, and where there are none", () => {
        const wanted = adoption(stringify(values), { version }).settings;
        for (const text of [`USER-SUPPLIED VALUES:\n${stringify(values)}`, JSON.stringify(values)]) {
            assert.deepEqual(adoption(text, { version }).settings, wanted);
        }
        for (const text of ["USER-SUPPLIED VALUES:\nnull\n", "null\n", "{}\n"]) {
            assert.deepEqual(adoption(text, { version }).settings, { route: "none", version, adopt: true });
        }
    });

    it("leaves out the charts' own values, where they are computed", () => {
        const { umbrella } = deploymentFor({ route: "management", version, values });
        const computed = adoption(`COMPUTED VALUES:\n${stringify(umbrella)}`, { version });
        assert.deepEqual(computed.settings.values, values);
        assert.equal(computed.settings.route, "management");
    });
});

describe("adopting values of a component chart", () => {
    it("knows the chart by its keys, in every version", () => {
        for (const each of versions) {
            const { settings, corrections } = adoption(stringify({ global: { clusterName: "prod" }, ...replicas }), {
                version: each,
            });
            assert.equal(settings.clusterName, "prod");
            assert.deepEqual(
                settings.values,
                mergeValues(values, nest(["kof-mothership", "values", "global", "clusterName"], "prod")),
            );
            assert.match(
                corrections[0]!,
                /^global, promxy at the top are values of the chart kof-mothership: the umbrella reads them under kof-mothership\.values/,
            );

            const logs = { "victoria-logs-cluster": { vlstorage: { persistentVolume: { size: "80Gi" } } } };
            const storage = adoption(stringify({ global: { clusterName: "prod" }, ...logs }), { version: each });
            const { route, clusterName, storage: sizes } = storage.settings;
            assert.deepEqual([route, clusterName, sizes], ["management", "prod", { logs: { size: "80Gi" } }], each);
            assert.deepEqual(storage.lost, []);
        }
        const collectors = adoption("opencost: {opencost: {exporter: {defaultClusterId: x}}}", { version: "1.9.0" });
        assert.equal(collectors.settings.route, "management");
    });

    it("asks which, where keys fit several", () => {
        assert.match(
            refusal("grafana: {enabled: true}"),
            /^file\.yaml has grafana at the top, which may be values of kof-mothership or of kof-storage\. [^]*\n\nkof-mothership:\n {2}values:\n {4}grafana: …\n$/,
        );
    });

    it("takes the cluster's name from where the umbrella does not read it", () => {
        const { settings, corrections } = adoption(stringify({ global: { clusterName: "prod" }, ...values }), {
            version,
        });
        assert.deepEqual(settings, { route: "none", version, clusterName: "prod", adopt: true, values });
        assert.deepEqual(corrections, ["global.clusterName is read by no chart here. kof:clusterName is prod."]);
    });
});

describe("adopting", () => {
    it("says at once what is missing, wrong and secret, the secrets first", () => {
        const { values: cloudwatch } = deploymentFor({
            route: "cloudwatch",
            version: "1.9.0",
            cloudwatch: { region: "us-east-2", credentials: { kind: "podIdentity", clusterName: "x" } },
        });
        const env = { name: "DB_PASSWORD", value: "hunter2" };
        const text = stringify(
            mergeValues(cloudwatch, {
                flux: { timeuot: "1m" },
                "kof-mothership": { values: { promxy: { env: [env], image: { tag: "$TAG" } } } },
            }),
        );
        const message = refusal(text, {});
        const at = [
            "DB_PASSWORD holds a secret",
            "which KOF version",
            "$TAG stands for",
            "with which credentials",
            "flux.timeuot is not read",
        ].map((part) => message.indexOf(part));
        assert.deepEqual(
            at,
            [...at].sort((a, b) => a - b),
            message,
        );
        assert.ok(!at.includes(-1), message);
        assert.doesNotMatch(message, /hunter/);
    });

    it("finds the credentials for CloudWatch in a Secret, where the keys were in plain text", () => {
        const crd = ["kof-collectors", "values", "opentelemetry-kube-stack", "defaultCRConfig"];
        const { values: cloudwatch } = deploymentFor({
            route: "cloudwatch",
            version: "1.9.0",
            cloudwatch: { region: "us-east-2" },
        });
        const env = (valueAt(cloudwatch, [...crd, "env"]) as HelmValues[]).map(({ name, ...from }) =>
            name === "AWS_ACCESS_KEY_ID"
                ? { name, value: "AKIAABCDEFGHIJKLMNOP" }
                : name === "AWS_SECRET_ACCESS_KEY"
                  ? { name, value: "hunter2" }
                  : { name, ...from },
        );
        const given = mergeValues(
            cloudwatch,
            nest([...crd, "env"], env as never),
            nest([...crd, "podAnnotations"], {}),
        );
        const { settings, secrets } = adoption(stringify(given).replace(/^ +kof-storage-routes.*\n/m, ""), {
            version: "1.9.0",
        });
        assert.deepEqual(valueAt(settings as HelmValues, ["cloudwatch", "credentials"]), {
            kind: "existingSecret",
            name: "cloudwatch-credentials",
        });
        assert.match(
            secrets.at(-1)!,
            /^Make Secret cloudwatch-credentials .*\n.*AWS_ACCESS_KEY_ID=… --from-literal=AWS_SECRET_ACCESS_KEY=…$/,
        );
        assert.doesNotMatch(JSON.stringify([settings, secrets]), /hunter|AKIA/);
    });

    it("compares what the stack file resolves to with the values", () => {
        const deployment = deploymentFor({ route: "none", version, values });
        assert.deepEqual(differing(values, deployment), []);
        assert.deepEqual(differing({ "kof-mothership": { values: { promxy: { replicaCount: 4 } } } }, deployment), [
            "kof-mothership.values.promxy.replicaCount is 4 in the original, and 1 with the stack file.",
        ]);
    });
});
