import assert from "node:assert/strict";

import { valueAt, type HelmValues } from "../core/lib/values";
import type { OfflineRun, Resource } from "../cli/offline";
import { runOffline } from "../cli/program";
import { treeLines } from "../cli/tree";
import { storageClassPresets } from "../core/settings/storageClassPresets";
import { cases, find, optionsOf, hasRegionless, routes, stackFile, type Raw } from "./support";
import { sample } from "./sampled";

const listed = (resources: readonly Resource[]) => resources.map(({ type, name }) => `${type} ${name}`).sort();

/** Everything that the program itself declares on a route, by type and name. */
function expectedResources(raw: Raw, version: string): string[] {
    const byRoute: Readonly<Record<string, readonly string[]>> = {
        cloudwatch: [
            "aws:cloudwatch/logGroup:LogGroup cloudwatch-/kof/mothership@us-east-2",
            ...(hasRegionless(version)
                ? ["aws:cloudwatch/logGroup:LogGroup cloudwatch-/kof/mothership-audit@us-east-2"]
                : []),
            "aws:iam/accessKey:AccessKey cloudwatch-1",
            "aws:iam/user:User cloudwatch",
            "aws:iam/userPolicy:UserPolicy cloudwatch",
            "kof:components:CloudWatch cloudwatch",
            "kubernetes:core/v1:Secret cloudwatch",
            "pulumi:providers:aws aws",
        ],
        regional: hasRegionless(version) ? [] : ["kubernetes:core/v1:Secret vmuser-credentials"],
    };
    // Where a store of KOF's has the metrics.
    const watched = ["management", "regional", "regionless"].includes(String(raw.route));
    return [
        ...(watched ? ["kof:components:AlertRules alerts", "kubernetes:core/v1:ConfigMap alerts"] : []),
        ...(watched && raw.route !== "regional"
            ? ["kubernetes:operator.victoriametrics.com/v1beta1:VMRule alerts"]
            : []),
        "kof:components:Kof kof",
        "kof:components:Namespace kof",
        "kof:components:StorageClass kof",
        "kubernetes:core/v1:Namespace kof",
        "kubernetes:helm.sh/v4:Chart kof",
        "kubernetes:storage.k8s.io/v1:StorageClass kof",
        "pulumi:index:Stash remembered",
        "pulumi:providers:kubernetes kubernetes",
        "pulumi:pulumi:Stack kof-test",
        "pulumi:pulumi:StackReference deployed",
        ...(byRoute[String(raw.route)] ?? []),
    ].sort();
}

/** The components that the umbrella installs on a route. */
function expectedReleases(raw: Raw, version: string): string[] {
    const always = ["kof-operators", "victoria-metrics-operator", "kof-mothership", "kof-regional", "kof-child"];
    const until19: Readonly<Record<string, readonly string[]>> = {
        management: ["kof-storage", "kof-collectors"],
        regional: ["kof-collectors"],
        cloudwatch: ["kof-collectors"],
        otlp: ["kof-collectors"],
    };
    const from110: Readonly<Record<string, readonly string[]>> = {
        cloudwatch: ["kof-collectors"],
        otlp: ["kof-collectors"],
    };
    return [...always, ...((hasRegionless(version) ? from110 : until19)[String(raw.route)] ?? [])].sort();
}

/** What the stack file says of the destination, and the chart has to be told. */
const inValues: Readonly<Record<string, readonly string[]>> = {
    management: [`"storageClass":"kof"`, "mothership"],
    regional: ["eu-1"],
    cloudwatch: ["us-east-2", "cloudwatch-credentials"],
    otlp: ["https://otlp.example.net", "otlp-headers", "otlp-ca"],
    regionless: [`"storageClass":"kof"`, "kof.example.net"],
};

function releases(run: OfflineRun): string[] {
    return treeLines(run)
        .filter(({ type }) => type.endsWith(":HelmRelease"))
        .map(({ name }) => name.replace("kof:kof/", ""));
}

describe("resource graph", () => {
    for (const { version, name, raw } of sample(cases, 12)) {
        for (const preview of [true, false]) {
            it(`KOF ${version}, ${name}, ${preview ? "preview" : "up"}: exactly these resources (sampled)`, async () => {
                const run = await runOffline(stackFile(raw), { preview });
                assert.deepEqual(listed(run.resources), expectedResources(raw, version));
                assert.deepEqual(releases(run).sort(), expectedReleases(raw, version));
                const values = JSON.stringify(find(run.resources, "kubernetes:helm.sh/v4:Chart").inputs.values);
                for (const word of inValues[String(raw.route)] ?? []) {
                    assert.ok(values.includes(word), `${word} in ${values}`);
                }
                assert.equal(run.outputs.route, raw.route);
                assert.equal(run.outputs.version, version);
            });
        }
    }

    const up = (raw: Raw, more?: Readonly<Record<string, string>>) =>
        runOffline(stackFile(raw, more), { preview: false });
    const urns = (resources: readonly Resource[], type: string) =>
        resources.filter((resource) => resource.type === type).map(({ urn }) => urn);

    it("puts everything on the one Kubernetes provider, and AWS on one made for the route", async () => {
        const { resources } = await up(routes.cloudwatch!);
        for (const { type, provider } of resources) {
            const owner = /^(kubernetes|aws):/.exec(type)?.[1];
            if (owner !== undefined) {
                assert.match(provider, new RegExp(`pulumi:providers:${owner}::${owner}::`), type);
            }
        }
    });

    it("makes the namespace, then class and secrets, then KOF", async () => {
        const { resources } = await up({ ...routes.cloudwatch, grafana: { enabled: true } });
        const namespace = urns(resources, "kubernetes:core/v1:Namespace");
        for (const component of ["StorageClass", "GrafanaAdmin", "CloudWatch"]) {
            assert.deepEqual(find(resources, `kof:components:${component}`).dependencies, namespace);
        }
        const kof = find(resources, "kof:components:Kof");
        for (const type of ["core/v1:Namespace", "core/v1:Secret", "storage.k8s.io/v1:StorageClass"]) {
            for (const urn of urns(resources, `kubernetes:${type}`)) {
                assert.ok(kof.dependencies.includes(urn), urn);
            }
        }
        assert.equal(find(resources, "kubernetes:helm.sh/v4:Chart").parent, kof.urn);
    });

    it("keeps the names of what two routes share, so that switching replaces nothing", async () => {
        const shared = async (raw: Raw) =>
            new Set(
                (await up(raw)).resources.map(({ urn }) => urn).filter((urn) => !/cloudwatch|aws|vmuser/i.test(urn)),
            );
        const [first, ...others] = await Promise.all(
            ["none", "management", "regional", "cloudwatch", "otlp", "regionless"].map((name) => shared(routes[name]!)),
        );
        for (const other of others) {
            assert.deepEqual(other, first);
        }
    });

    it("labels the namespace for Istio, and only then", async () => {
        const labels = async (raw: Raw) => {
            const { inputs } = find((await up(raw)).resources, "kubernetes:core/v1:Namespace");
            return (inputs.metadata as any).labels;
        };
        assert.deepEqual(await labels(routes["management with Istio"]!), { "istio-injection": "enabled" });
        assert.equal(await labels(routes.management!), undefined);
    });

    it("makes a class that waits for its consumer, expands and retains", async () => {
        const parameters = { type: "gp3", encrypted: "true" };
        const raw = {
            route: "management",
            storageClass: { name: "fast", provisioner: "ebs.csi.aws.com", parameters, default: true },
        };
        const made = find((await up(raw)).resources, "kubernetes:storage.k8s.io/v1:StorageClass");
        const { inputs } = made;
        assert.deepEqual(inputs, {
            apiVersion: "storage.k8s.io/v1",
            kind: "StorageClass",
            metadata: { name: "fast", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
            provisioner: "ebs.csi.aws.com",
            parameters,
            reclaimPolicy: "Retain",
            volumeBindingMode: "WaitForFirstConsumer",
            allowVolumeExpansion: true,
        });
        const { replaceOnChanges, deleteBeforeReplace } = optionsOf(made);
        assert.deepEqual(replaceOnChanges, ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"]);
        assert.equal(deleteBeforeReplace, true);
    });

    it("makes the class of a preset, with the user's parameters over the preset's", async () => {
        const parameters = { type: "io2", tagSpecification_1: "team=kof" };
        const raw = { route: "none", storageClass: { name: "kof", preset: "aws-ebs", parameters } };
        const { inputs } = find((await up(raw)).resources, "kubernetes:storage.k8s.io/v1:StorageClass");
        assert.equal(inputs.provisioner, "ebs.csi.aws.com");
        assert.deepEqual(inputs.parameters, { type: "io2", encrypted: "true", tagSpecification_1: "team=kof" });
        const cinder = { route: "none", storageClass: { name: "kof", preset: "openstack-cinder" } };
        const other = find((await up(cinder)).resources, "kubernetes:storage.k8s.io/v1:StorageClass").inputs;
        assert.deepEqual([other.provisioner, other.parameters], ["cinder.csi.openstack.org", undefined]);
    });

    it("says what kind's class cannot do", async () => {
        const { messages } = await up({ route: "none", storageClass: { name: "kof", preset: "local-path" } });
        assert.deepEqual(messages, [
            "warning: rancher.io/local-path cannot make a volume larger, and does not enforce its size: every KOF volume grows " +
                "until the disk of its node is full, and a larger kof:storage size does nothing for volumes that exist. It is " +
                "meant for trying out.",
        ]);
    });

    it("labels the namespace where the cluster would refuse the collectors' pods otherwise", async () => {
        const labels = async (raw: Raw) => {
            const { resources } = await up({ route: "none", ...raw });
            const { metadata } = find(resources, "kubernetes:core/v1:Namespace").inputs as { metadata: HelmValues };
            return metadata.labels;
        };
        const privileged = { "pod-security.kubernetes.io/enforce": "privileged" };
        assert.deepEqual(await labels({ distribution: "talos", istio: true }), {
            "istio-injection": "enabled",
            ...privileged,
        });
        assert.deepEqual(await labels({ distribution: "rke2" }), privileged);
        assert.deepEqual(await labels({ distribution: "openshift" }), {
            ...privileged,
            "security.openshift.io/scc.podSecurityLabelSync": "false",
        });
        assert.equal(await labels({ distribution: "gke" }), undefined);
    });

    it("promises growth for every driver but those that cannot", async () => {
        const expands = async (storageClass: Raw) => {
            const { resources } = await up({ route: "none", storageClass: { name: "kof", ...storageClass } });
            return find(resources, "kubernetes:storage.k8s.io/v1:StorageClass").inputs.allowVolumeExpansion;
        };
        const own: Readonly<Record<string, object>> = {
            "openebs-lvm": { volgroup: "vg" },
            "rook-ceph-rbd": { pool: "kof" },
            "nfs-csi": { server: "nfs.example.net", share: "/kof" },
        };
        for (const preset of Object.keys(storageClassPresets)) {
            assert.equal(await expands({ preset, parameters: own[preset] ?? {} }), preset !== "local-path", preset);
        }
        assert.equal(await expands({ provisioner: "rancher.io/local-path" }), false);
        assert.equal(await expands({ provisioner: "driver.longhorn.io" }), true);
    });

    it("warns of a second default class", async () => {
        const storageClass = { name: "kof", preset: "aws-ebs", default: true };
        const { messages } = await up({ route: "none", storageClass });
        assert.equal(messages.length, 1);
        assert.match(
            messages[0]!,
            /^warning: kof:storageClass\.default marks kof [^]*kubectl annotate storageclass NAME/,
        );
    });

    it("says whose reclaim policy lets a destroy delete what is stored", async () => {
        const said = async (storageClass: object) =>
            (await up({ route: "management", storageClass })).messages.join("\n");
        // Nearly every stack has such a class: doctor looks it up.
        assert.equal(await said({}), "");
        assert.equal(await said({ create: false, name: "mine" }), "");
        const made = { name: "kof", preset: "aws-ebs" };
        assert.match(
            await said({ ...made, reclaimPolicy: "Delete" }),
            /The reclaim policy of kof is Delete: then pulumi destroy/,
        );
        assert.equal(await said(made), "");
    });

    it("makes no class when there is one, or when the cluster's default is wanted", async () => {
        for (const storageClass of [{ create: false, name: "mine" }, {}]) {
            const { resources, outputs } = await up({ route: "management", storageClass });
            assert.deepEqual(urns(resources, "kubernetes:storage.k8s.io/v1:StorageClass"), []);
            assert.equal(outputs.storageClass, "name" in storageClass ? "mine" : "the cluster's default class");
        }
    });

    it("lets the user write to the route's log groups and do nothing else", async () => {
        const cloudwatch = {
            region: "eu-central-1",
            logGroup: "a",
            auditLogGroup: "b",
            auditRetentionDays: 731,
            kmsKeyArn: "arn:aws:kms:eu-central-1:123456789012:key/1",
        };
        const { resources, outputs } = await up({ route: "cloudwatch", cloudwatch });
        const policy = JSON.parse(String(find(resources, "aws:iam/userPolicy:UserPolicy").inputs.policy));
        assert.deepEqual(policy.Statement, [
            {
                Sid: "WriteLogs",
                Effect: "Allow",
                Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
                Resource: [
                    "arn:aws:logs:eu-central-1:ACCOUNT:log-group:a:*",
                    "arn:aws:logs:eu-central-1:ACCOUNT:log-group:b:*",
                ],
            },
        ]);
        const groups = resources.filter(({ type }) => type === "aws:cloudwatch/logGroup:LogGroup");
        const about = (each: Resource) => [
            each.inputs.name,
            each.inputs.retentionInDays,
            each.inputs.kmsKeyId,
            optionsOf(each).retainOnDelete,
        ];
        assert.deepEqual(groups.map(about).sort(), [
            ["a", 30, cloudwatch.kmsKeyArn, true],
            ["b", 731, cloudwatch.kmsKeyArn, true],
        ]);
        assert.deepEqual(outputs.logGroups, ["a", "b"]);
    });

    it("makes one log group when audit logs go to the same", async () => {
        const cloudwatch = { region: "us-east-2", logGroup: "a", auditLogGroup: "a" };
        const { outputs, resources } = await up({ route: "cloudwatch", cloudwatch });
        assert.deepEqual(outputs.logGroups, ["a"]);
        assert.doesNotMatch(
            JSON.stringify(find(resources, "kubernetes:helm.sh/v4:Chart").inputs),
            /awscloudwatchlogs\/audit/,
        );
    });

    it("puts the key of the last generation into the Secret, and keeps both", async () => {
        const credentials = { kind: "accessKey", generations: ["2026-05", "2026-11"] };
        const { resources } = await up({ route: "cloudwatch", cloudwatch: { region: "us-east-2", credentials } });
        assert.deepEqual(
            resources.filter(({ type }) => type === "aws:iam/accessKey:AccessKey").map(({ name }) => name),
            ["cloudwatch-2026-05", "cloudwatch-2026-11"],
        );
        const secret = find(resources, "kubernetes:core/v1:Secret", "cloudwatch");
        const mark = secret.inputs.stringData as any;
        assert.equal(
            mark["4dabf18193072939515e22adb298388d"],
            "1b47061264138c4ac30d75fd1eb44270",
            "a secret for Pulumi",
        );
        assert.equal(mark.value.AWS_ACCESS_KEY_ID, "cloudwatch-2026-11-id");
        assert.deepEqual((secret.inputs.metadata as any).name, "cloudwatch-credentials");
    });

    it("orders the end of the collectors before that of a Secret which is the program's own", async () => {
        const transforms = async (raw: Raw) =>
            optionsOf(find((await up(raw)).resources, "kubernetes:helm.sh/v4:Chart")).transforms;
        assert.equal(await transforms(routes.cloudwatch!), 1);
        const credentials = { kind: "existingSecret", name: "mine" };
        assert.equal(await transforms({ route: "cloudwatch", cloudwatch: { region: "us-east-2", credentials } }), 0);
        assert.equal(await transforms(routes.otlp!), 0);
    });

    it("makes no user, key or Secret when the Secret is made elsewhere", async () => {
        const credentials = { kind: "existingSecret", name: "mine" };
        const { resources } = await up({ route: "cloudwatch", cloudwatch: { region: "us-east-2", credentials } });
        assert.deepEqual(listed(resources.filter(({ type }) => /aws|Secret/.test(type))), [
            "aws:cloudwatch/logGroup:LogGroup cloudwatch-/kof/mothership-audit@us-east-2",
            "aws:cloudwatch/logGroup:LogGroup cloudwatch-/kof/mothership@us-east-2",
            "pulumi:providers:aws aws",
        ]);
    });

    it("annotates the service accounts of an issuer's role with its ARN, and no others", async () => {
        const oidcProviderArn = "arn:aws-us-gov:iam::123456789012:oidc-provider/oidc.example.net";
        const cloudwatch = { region: "us-gov-west-1", credentials: { kind: "irsa", oidcProviderArn } };
        const { resources } = await up({ route: "cloudwatch", cloudwatch });
        const values = find(resources, "kubernetes:helm.sh/v4:Chart").inputs.values as HelmValues;
        const stack = valueAt(values, ["kof-collectors", "values", "opentelemetry-kube-stack"]);
        const annotated = Object.entries(valueAt(stack, ["collectors"]) as HelmValues).flatMap(([key, own]) => {
            const role = valueAt(own, ["annotations", "eks.amazonaws.com/role-arn"]);
            return role === undefined ? [] : [[key, role]];
        });
        const role = "arn:aws-us-gov:iam::123456789012:role/kof/kof-cloudwatch-mothership";
        assert.deepEqual(annotated, [
            ["cluster", role],
            ["daemon", role],
        ]);
        assert.equal(find(resources, "aws:iam/role:Role").inputs.name, "kof-cloudwatch-mothership");
        assert.doesNotMatch(JSON.stringify(values), /AWS_ACCESS_KEY_ID|cloudwatch-credentials/);
    });

    it("lets every collector that sends metrics write them, in a group of their own", async () => {
        const cloudwatch = {
            region: "eu-central-1",
            logGroup: "management",
            signals: { metrics: "emf", traces: "xray" },
            credentials: { kind: "podIdentity", clusterName: "management" },
        };
        const { storageClass } = routes.cloudwatch!;
        const { resources, outputs, messages } = await up({ route: "cloudwatch", cloudwatch, storageClass });
        const type = "aws:eks/podIdentityAssociation:PodIdentityAssociation";
        assert.deepEqual(
            resources.filter((each) => each.type === type).map(({ inputs }) => inputs.serviceAccount),
            ["cluster-stats", "target-allocator", "daemon", "controller-k0s-daemon"].map(
                (name) => `kof-collectors-${name.replace("target-allocator", "ta-daemon")}-collector`,
            ),
        );
        assert.deepEqual(outputs.logGroups, ["management", "management-audit", "management-metrics"]);
        const policy = JSON.parse(String(find(resources, "aws:iam/rolePolicy:RolePolicy").inputs.policy));
        assert.deepEqual(
            policy.Statement.map(({ Sid, Resource }: any) => [Sid, Resource.length]),
            [
                ["WriteLogs", 3],
                ["WriteTraces", 1],
            ],
        );
        assert.deepEqual(
            messages.map((message) => message.split(":")[0]),
            ["warning", "warning", "warning", "warning"],
        );
        assert.match(
            messages.join("\n"),
            /An outage of AWS loses metrics and traces[^]*bills each series[^]*bills each trace[^]*is podIdentity, which EKS alone has/,
        );
    });

    it("names the alternative to an access key on EKS", async () => {
        const raw = { ...routes.cloudwatch, distribution: "eks" };
        assert.match((await up(raw)).messages.join("\n"), /On EKS there is a way without any secret: .*podIdentity/);
    });

    it("reaches AWS where the settings say, unless the aws configuration does", async () => {
        const endpoint = "https://vpce-0123.logs.us-east-2.vpce.amazonaws.com";
        const raw = { route: "cloudwatch", cloudwatch: { region: "us-east-2", endpoint } };
        const { resources, outputs } = await up(raw);
        const provider = (all: readonly Resource[]) => find(all, "pulumi:providers:aws").inputs.endpoints;
        assert.deepEqual(JSON.parse(String(provider(resources))), [{ logs: endpoint }]);
        assert.match(String(outputs.verify), /--endpoint-url https:\/\/vpce-0123/);
        const other = await up(raw, { "aws:endpoints": '[{"logs":"https://proxy.example.net"}]' });
        assert.match(String(provider(other.resources)), /proxy/);
    });

    it("makes Grafana's admin credentials random and secret", async () => {
        const { resources } = await up({ route: "none", grafana: { enabled: true } });
        assert.equal(find(resources, "random:index/randomPassword:RandomPassword").inputs.special, false);
        const secret = find(resources, "kubernetes:core/v1:Secret", "grafana-admin").inputs.stringData as any;
        assert.equal(secret["4dabf18193072939515e22adb298388d"], "1b47061264138c4ac30d75fd1eb44270");
        assert.deepEqual(Object.keys(secret.value).sort(), ["GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_ADMIN_USER"]);
    });

    it("looks for the region's credentials before anything else is installed, and says which region was meant", async () => {
        const { resources, messages } = await up({ ...routes.regional, version: "1.9.0" });
        const secret = find(resources, "kubernetes:core/v1:Secret", "vmuser-credentials");
        assert.equal(secret.read, true);
        assert.ok(find(resources, "kof:components:Kof").dependencies.includes(secret.urn));
        assert.deepEqual(messages, [
            "info: The collectors authenticate at region eu-1 (ClusterDeployment kcm-system/eu-1) with Secret " +
                'kof/kof-vmuser-creds-admin-1108149986. If that "does not exist", KOF has not set up the region yet: check the ' +
                "names in kof:regional, deploy the region with another route first (kof:route: none), and come back when " +
                '"kubectl get secret -n kof kof-vmuser-creds-admin-1108149986" finds it.',
        ]);
    });

    it("also looks for them if the stores of this cluster and a region get the same, with either installer of the collectors", async () => {
        for (const version of ["1.9.0", "1.10.0"]) {
            const signals = { logs: ["management", "regional"], audit: ["management", "regional"] };
            for (const route of ["management", "regional"]) {
                const { resources, messages } = await up({ ...routes.regional, route, signals, version });
                const secret = find(resources, "kubernetes:core/v1:Secret", "vmuser-credentials");
                assert.ok(
                    find(resources, "kof:components:Kof").dependencies.includes(secret.urn),
                    `${version} ${route}`,
                );
                const first =
                    route === "regional"
                        ? /\(kof:route: none\)/
                        : /deploy the region without regional in kof:signals first/;
                assert.match(messages.join("\n"), first);
            }
        }
    });

    it("passes the ordinary Kubernetes configuration on, and keeps KUBECONFIG's path out of the state", async () => {
        const before = process.env.KUBECONFIG;
        process.env.KUBECONFIG = "/home/me/.kube/config";
        try {
            const plain = find((await up({ route: "none" })).resources, "pulumi:providers:kubernetes").inputs;
            assert.deepEqual(plain, {
                clusterIdentifier: "kof-storage-routes",
                enableConfigMapMutable: "true",
                enableSecretMutable: "true",
                kubeconfig: "",
            });
            const more = {
                "kubernetes:context": "prod",
                "kubernetes:kubeconfig": "{}",
                "kubernetes:kubeClientSettings": '{"qps":50}',
            };
            const { inputs } = find(
                (await up({ route: "none", adopt: true }, more)).resources,
                "pulumi:providers:kubernetes",
            );
            assert.equal(inputs.context, "prod");
            assert.equal(inputs.kubeconfig, "{}");
            assert.equal(JSON.parse(String(inputs.kubeClientSettings)).qps, 50);
            assert.equal(inputs.upsertExistingObjects, "true");
            assert.equal(inputs.enablePatchForce, "true");
        } finally {
            process.env.KUBECONFIG = before;
        }
    });

    it("takes the umbrella from a registry, a chart repository or a folder", async () => {
        const chart = async (raw: Raw) => {
            const { inputs } = find((await up({ route: "none", ...raw })).resources, "kubernetes:helm.sh/v4:Chart");
            return [inputs.chart, inputs.version, inputs.repositoryOpts];
        };
        assert.deepEqual(await chart({}), ["oci://ghcr.io/k0rdent/kof/charts/kof", "1.10.0", undefined]);
        assert.deepEqual(await chart({ chart: "https://charts.example.net" }), [
            "kof",
            "1.10.0",
            { repo: "https://charts.example.net" },
        ]);
        assert.deepEqual(await chart({ chart: "./test/charts/kof" }), ["./test/charts/kof", undefined, undefined]);
    });

    it("says which volumes the cluster has to have room for", async () => {
        const { outputs } = await up({ ...routes.management, version: "1.9.0" });
        assert.deepEqual(outputs.volumes, {
            vmselect: "2 x 10Gi of cache",
            vmstorage: "3 x 100Gi of metrics, kept for 30d, KOF's default",
            vlstorage: "2 x 50Gi of logs, kept for 7d, KOF's default",
            vtstorage: "2 x 50Gi of traces, kept for 7d, KOF's default",
            total: "520Gi",
        });
    });

    it("says which signals are not stored", async () => {
        const { messages, outputs } = await up(routes.cloudwatch!);
        assert.deepEqual(messages, [
            "warning: kof:cloudwatch.logGroup is not set: a new stack uses /kof/mothership. A stack that was deployed " +
                "before keeps its log group.",
            "warning: Route cloudwatch discards metrics and traces of this cluster. kof:cloudwatch.signals stores them.",
        ]);
        assert.deepEqual(outputs.destinations, {
            metrics: "not stored (discarded)",
            logs: "CloudWatch Logs in us-east-2: /kof/mothership/logs",
            traces: "not stored (discarded)",
            audit: "CloudWatch Logs in us-east-2: /kof/mothership-audit/logs",
        });
    });
});
