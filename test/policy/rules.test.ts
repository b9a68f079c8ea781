import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";

import * as grpc from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";

import { runOffline } from "../../cli/program";
import { readStackFile, stackFilesIn, type StackFile } from "../../cli/stackFile";
import { rules } from "../../policy/rules";
import { routes, stackFile } from "../support";

const stack = { name: "prod", distribution: undefined };

/** The rules that a resource breaks. */
function broken(type: string, props: object, about: { name: string; distribution?: string | undefined } = stack) {
    const resource = { type, props: props as Record<string, unknown> };
    return rules
        .filter(({ violations, options = {} }) => violations?.(resource, { ...stack, ...about }, options).length)
        .map(({ name }) => name);
}

describe("policy rules", () => {
    const group = "aws:cloudwatch/logGroup:LogGroup";
    for (const [props, rule] of [
        [{ name: "a", retentionInDays: 30 }, []],
        [{ name: "a" }, ["log-retention"]],
        [{ name: "a", retentionInDays: 0 }, ["log-retention"]],
    ] as const) {
        it(`want a retention of ${JSON.stringify(props)}: ${rule.join() || "there is one"}`, () => {
            assert.deepEqual(broken(group, props), rule);
        });
    }

    const arn = "arn:aws:logs:us-east-2:123456789012:log-group";
    const write = { Effect: "Allow", Action: ["logs:PutLogEvents"], Resource: [`${arn}:management:*`] };
    const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "pods.eks.amazonaws.com" } };
    const good = [
        write,
        trust,
        { ...write, Resource: `${arn}:management:log-stream:logs` },
        { ...write, Action: "s3:PutObject", Resource: "arn:aws:s3:::bucket/*" },
        { ...write, Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-2:123456789012:queue" },
        { ...write, Action: ["xray:PutTraceSegments", "cloudwatch:PutMetricData"], Resource: "*" },
        { Effect: "Deny", Action: "*", Resource: "*", Principal: "*" },
    ];
    const bad = [
        { ...write, Action: "*" },
        { ...write, Action: "logs:*" },
        { ...write, Action: ["logs:PutLogEvents", "logs:Put*"] },
        { ...write, Resource: "*" },
        { ...write, Resource: `${arn}:*` },
        { ...write, Resource: [`${arn}:a:*`, `${arn}:*:*`] },
        { ...write, Resource: "arn:aws:logs:*:123456789012:log-group:management:*" },
        { ...write, Resource: "arn:aws:s3:::*" },
        { ...write, Resource: "arn:aws:s3:::bucket-?/a" },
        { ...write, Action: ["xray:PutTraceSegments", "logs:PutLogEvents"], Resource: "*" },
        { ...write, Action: undefined, NotAction: "iam:PassRole" },
        { Effect: "Allow", Action: "logs:PutLogEvents", NotResource: arn },
        { ...trust, Principal: "*" },
        { ...trust, Principal: { AWS: ["*"] } },
    ];
    for (const [verdict, statements] of [
        [[], good],
        [["no-wildcard"], bad],
    ] as const) {
        for (const statement of statements) {
            it(`${verdict.length > 0 ? "refuse" : "allow"} ${JSON.stringify(statement)}`, () => {
                const policy = { Version: "2012-10-17", Statement: [write, statement] };
                assert.deepEqual(broken("aws:iam/userPolicy:UserPolicy", { policy: JSON.stringify(policy) }), verdict);
                assert.deepEqual(broken("aws:iam/policy:Policy", { policy: { Statement: statement } }), verdict);
                assert.deepEqual(
                    broken("aws:iam/role:Role", { assumeRolePolicy: JSON.stringify(policy), path: "/" }),
                    verdict,
                );
                assert.deepEqual(
                    broken("aws:iam/role:Role", { inlinePolicies: [{ policy: JSON.stringify(policy) }] }),
                    verdict,
                );
                assert.deepEqual(broken("aws:kms/key:Key", { policy: JSON.stringify(policy) }), []);
            });
        }
    }

    const storageClass = "kubernetes:storage.k8s.io/v1:StorageClass";
    for (const name of ["prod", "eu-1", "production", "contest", "devon"]) {
        it(`want volumes retained in the stack ${name}`, () => {
            assert.deepEqual(broken(storageClass, { reclaimPolicy: "Retain" }, { name }), []);
            assert.deepEqual(broken(storageClass, { reclaimPolicy: "Delete" }, { name }), ["retain-volumes"]);
            assert.deepEqual(broken(storageClass, {}, { name }), ["retain-volumes"], "Kubernetes' default is Delete");
        });
    }
    const [, listed = ""] = /unless its name has ([^]*?), set/.exec(fs.readFileSync("docs/ci.md", "utf8")) ?? [];
    const notProduction = [...listed.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
    it("know the names of stacks that the docs say are not production", () => {
        assert.deepEqual(notProduction, [
            "ci",
            "demo",
            "dev",
            "development",
            "e2e",
            "kind",
            "sandbox",
            "staging",
            "test",
        ]);
    });
    for (const name of [...notProduction, "eu-dev", "kind-1", "staging.eu", "my_demo"]) {
        it(`leave the volumes of the stack ${name} alone`, () => {
            assert.deepEqual(broken(storageClass, { reclaimPolicy: "Delete" }, { name }), []);
        });
    }

    it("refuse an access key on EKS, and only there", () => {
        const key = "aws:iam/accessKey:AccessKey";
        assert.deepEqual(broken(key, {}, { ...stack, distribution: "eks" }), ["no-static-key-on-eks"]);
        assert.deepEqual(broken(key, {}, { ...stack, distribution: "k0s" }), []);
        assert.deepEqual(broken("aws:iam/user:User", {}, { ...stack, distribution: "eks" }), []);
    });

    const closed = {
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
    };
    const encrypted = { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms" } }] };
    for (const [name, props, safe] of [
        ["Bucket", {}, true],
        ["Bucket", { forceDestroy: false }, true],
        ["Bucket", { forceDestroy: true }, false],
        ["BucketV2", { forceDestroy: true }, false],
        ["Bucket", { acl: "public-read" }, false],
        ["BucketAcl", { acl: "private" }, true],
        ["BucketAcl", { acl: "public-read-write" }, false],
        ["BucketPublicAccessBlock", closed, true],
        ["BucketPublicAccessBlock", { ...closed, restrictPublicBuckets: false }, false],
        ["BucketPublicAccessBlock", { ...closed, blockPublicAcls: undefined }, false],
        ["BucketOwnershipControls", { rule: { objectOwnership: "BucketOwnerEnforced" } }, true],
        ["BucketOwnershipControls", { rule: { objectOwnership: "ObjectWriter" } }, false],
        ["BucketVersioning", { versioningConfiguration: { status: "Enabled" } }, true],
        ["BucketVersioning", { versioningConfiguration: { status: "Suspended" } }, false],
        ["BucketVersioningV2", { versioningConfiguration: { status: "Disabled" } }, false],
        ["BucketServerSideEncryptionConfiguration", encrypted, true],
        ["BucketServerSideEncryptionConfiguration", {}, false],
        ["BucketServerSideEncryptionConfiguration", { rules: [{ bucketKeyEnabled: true }] }, false],
        ["BucketLifecycleConfiguration", { rules: [] }, true],
    ] as const) {
        it(`${safe ? "allow" : "refuse"} ${name} ${JSON.stringify(props)}`, () => {
            const type = `aws:s3/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;
            assert.deepEqual(broken(type, props), safe ? [] : ["safe-bucket"]);
        });
    }

    it("want every bucket of a stack to have each of its safeguards", () => {
        const bucket = "acme-kof-cold";
        const type = (name: string) => `aws:s3/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;
        const all = [
            "BucketPublicAccessBlock",
            "BucketOwnershipControls",
            "BucketServerSideEncryptionConfiguration",
            "BucketVersioning",
        ];
        const made = (names: readonly string[]) => names.map((name) => ({ type: type(name), props: { bucket } }));
        const found = (names: readonly string[]) =>
            rules.flatMap(({ ofStack }) =>
                // What another bucket has is not its.
                ofStack
                    ? ofStack([...made(["Bucket", ...names]), { type: type(all[0]!), props: { bucket: "other" } }])
                    : [],
            );
        assert.deepEqual(found(all), []);
        for (const name of all) {
            const [missing, ...more] = found(all.filter((each) => each !== name));
            assert.match(missing ?? "", new RegExp(`^Bucket acme-kof-cold has no .*: add a ${name}\\.$`));
            assert.deepEqual(more, []);
        }
    });

    const chart = "oci://ghcr.io/k0rdent/kof/charts/kof";
    const flux = "kubernetes:source.toolkit.fluxcd.io/v1:HelmChart";
    const from = (kind: string, version?: string) => ({ spec: { chart: "kof", version, sourceRef: { kind } } });
    for (const [type, props, exact] of [
        ["kubernetes:helm.sh/v4:Chart", { chart, version: "1.10.0" }, true],
        ["kubernetes:helm.sh/v4:Chart", { chart, version: "1.11.0-rc0" }, true],
        ["kubernetes:helm.sh/v4:Chart", { chart: "./charts/kof" }, true],
        ["kubernetes:helm.sh/v4:Chart", {}, true],
        ["kubernetes:helm.sh/v4:Chart", { chart }, false],
        ["kubernetes:helm.sh/v4:Chart", { chart, version: "1.10" }, false],
        ["kubernetes:helm.sh/v3:Release", { chart, version: "^1.10.0" }, false],
        [flux, from("HelmRepository", "1.10.0"), true],
        [flux, from("HelmRepository", ">=1.10.0"), false],
        [flux, from("HelmRepository"), false],
        [flux, from("GitRepository"), true],
    ] as const) {
        it(`${exact ? "allow" : "refuse"} ${type} ${JSON.stringify(props)}`, () => {
            assert.deepEqual(broken(type, props), exact ? [] : ["exact-chart-version"]);
        });
    }
});

describe("policies", () => {
    const violations = async (file: StackFile, about: { name: string; distribution?: string }) => {
        const { resources } = await runOffline(file, { preview: false });
        const all = resources.map(({ type, inputs: props }) => ({ type, props }));
        return [
            ...all.flatMap(({ type, props }) => broken(type, props, about)),
            ...rules.flatMap(({ ofStack }) => ofStack?.(all) ?? []),
        ];
    };

    for (const file of stackFilesIn("examples")) {
        it(`are kept by everything in ${file}`, async () => {
            const example = readStackFile({ config: path.join("examples", file) });
            assert.deepEqual(await violations(example, { name: "prod" }), []);
        });
    }

    it("are broken where the settings allow it", async () => {
        const storageClass = { name: "kof", preset: "aws-ebs", reclaimPolicy: "Delete" };
        const file = stackFile({ ...routes.cloudwatch, storageClass });
        assert.deepEqual((await violations(file, { name: "prod", distribution: "eks" })).sort(), [
            "no-static-key-on-eks",
            "retain-volumes",
        ]);
    });
});

describe("the policy pack", () => {
    let pack: ChildProcess;
    let client: AnalyzerClient;

    before(async () => {
        // As Pulumi's nodejs language host starts it, with the stack's configuration in the environment.
        const run = path.resolve("node_modules/@pulumi/pulumi/cmd/run-policy-pack");
        const env = { ...process.env, PULUMI_CONFIG: JSON.stringify({ "kof:distribution": "eks" }) };
        pack = spawn(process.execPath, [run, "127.0.0.1:1", path.resolve("policy")], { cwd: "policy", env });
        const [port] = (await once(pack.stdout!, "data")) as [Buffer];
        client = new AnalyzerClient(`127.0.0.1:${port.toString().trim()}`, grpc.credentials.createInsecure());
    });

    after(() => {
        client.close();
        pack.kill();
    });

    const call = <Response>(
        method: (callback: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
    ) =>
        new Promise<Response>((resolve, reject) => {
            method((error, response) => {
                if (error) {
                    reject(error);
                } else {
                    resolve(response);
                }
            });
        });

    const analyze = async (type: string, props: Record<string, any>) => {
        const request = new analyzer.AnalyzeRequest();
        request.setType(type);
        request.setUrn(`urn:pulumi:eu-1::kof::${type}::x`);
        request.setProperties(Struct.fromJavaScript(props));
        request.setOptions(new analyzer.AnalyzerResourceOptions());
        const response = await call<analyzer.AnalyzeResponse>((done) => client.analyze(request, done));
        return response
            .getDiagnosticsList()
            .map((found) => [found.getPolicyname(), found.getEnforcementlevel(), found.getMessage()]);
    };

    it("starts with every rule", async () => {
        const info = await call<analyzer.AnalyzerInfo>((done) => client.getAnalyzerInfo(new Empty(), done));
        const { version } = JSON.parse(fs.readFileSync("policy/package.json", "utf8"));
        assert.deepEqual([info.getName(), info.getVersion()], ["kof", version]);
        assert.deepEqual(
            info.getPoliciesList().map((policy) => policy.getName()),
            rules.map(({ name }) => name),
        );
    });

    it("stops a stack that breaks one", async () => {
        const { MANDATORY } = analyzer.EnforcementLevel;
        assert.deepEqual(await analyze("kubernetes:storage.k8s.io/v1:StorageClass", { reclaimPolicy: "Delete" }), [
            [
                "retain-volumes",
                MANDATORY,
                "In production stacks storage classes retain volumes whose claims are deleted.\nIt deletes a volume together " +
                    "with its claim, and the stack eu-1 is production by its name: set kof:storageClass.reclaimPolicy to Retain.",
            ],
        ]);
        assert.deepEqual(await analyze("kubernetes:storage.k8s.io/v1:StorageClass", { reclaimPolicy: "Retain" }), []);
    });

    it("looks at a stack as a whole", async () => {
        const resource = new analyzer.AnalyzerResource();
        const type = "aws:s3/bucket:Bucket";
        resource.setType(type);
        resource.setUrn(`urn:pulumi:eu-1::kof::${type}::x`);
        resource.setName("x");
        resource.setProperties(Struct.fromJavaScript({ bucket: "acme-kof-cold" }));
        resource.setOptions(new analyzer.AnalyzerResourceOptions());
        const request = new analyzer.AnalyzeStackRequest();
        request.setResourcesList([resource]);
        const response = await call<analyzer.AnalyzeResponse>((done) => client.analyzeStack(request, done));
        const names = response.getDiagnosticsList().map((found) => found.getPolicyname());
        assert.deepEqual(
            names,
            Array.from({ length: 4 }, () => "complete-bucket"),
        );
    });

    it("knows the stack's distribution", async () => {
        const [found] = await analyze("aws:iam/accessKey:AccessKey", { user: "cloudwatch" });
        assert.equal(found?.[0], "no-static-key-on-eks");
    });
});
