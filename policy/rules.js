// What no stack may deploy, whatever its settings: pure functions from a resource to what is wrong with it.
// @ts-check
"use strict";

const { valid } = require("semver");

/**
 * @typedef {object} Resource
 * @property {string} type Pulumi's type token: `aws:cloudwatch/logGroup:LogGroup`
 * @property {Record<string, any>} props its inputs
 *
 * @typedef {object} Stack
 * @property {string} name
 * @property {string | undefined} distribution its `kof:distribution`; `undefined` when it leaves that to the default
 *
 * @typedef {object} Rule
 * @property {string} name
 * @property {string} description what every resource has to be like
 * @property {Record<string, string>} [options] what `--policy-pack-config` can set, with the defaults
 * @property {(resource: Resource, stack: Stack, options: Record<string, any>) => string[]} [violations] what is wrong with a
 *   resource, and what to do; empty when nothing is
 * @property {(resources: readonly Resource[]) => string[]} [ofStack] the same of all resources of a stack
 */

/** @type {Rule} */
const logRetention = {
    name: "log-retention",
    description: "CloudWatch log groups have a retention: without one AWS keeps their logs, and bills them, for ever.",
    violations: ({ type, props }) =>
        type !== "aws:cloudwatch/logGroup:LogGroup" || props.retentionInDays > 0
            ? []
            : ["It has no retentionInDays: set kof:cloudwatch.retentionDays."],
};

/** @type {Rule} */
const noWildcard = {
    name: "no-wildcard",
    description: "IAM policies allow named actions on named resources to named principals.",
    violations: ({ type, props }) =>
        type.startsWith("aws:iam/")
            ? [props.policy, props.assumeRolePolicy, ...inlinePolicies(props)]
                  .flatMap(statements)
                  .filter(({ Effect }) => Effect === "Allow")
                  .flatMap(statementViolations)
            : [],
};

/** @param {Resource["props"]} props */
function inlinePolicies({ inlinePolicies = [] }) {
    return inlinePolicies.map((/** @type {{ policy: unknown }} */ { policy }) => policy);
}

/**
 * @param {unknown} document a policy, as text or as data
 * @returns {Record<string, unknown>[]}
 */
function statements(document) {
    const { Statement = [] } = (typeof document === "string" ? JSON.parse(document) : document) ?? {};
    return [Statement].flat();
}

/** Actions that AWS knows on no particular resource: a policy that allows them has to say `*`. */
const withoutResource = ["cloudwatch:PutMetricData", "xray:PutTelemetryRecords", "xray:PutTraceSegments"];

/**
 * @param {Record<string, unknown>} statement
 * @returns {string[]}
 */
function statementViolations(statement) {
    const actions = texts(statement.Action);
    const resources = actions.every((action) => withoutResource.includes(action)) ? [] : texts(statement.Resource);
    return [
        ...actions
            .filter((action) => /[*?]/.test(action))
            .map((action) => `It allows the action ${action}: name each action that is needed.`),
        ...resources
            .filter(isUnbounded)
            .map((resource) => `It allows its actions on ${resource}: name what they are needed on.`),
        ...texts(statement.Principal)
            .filter((principal) => principal === "*")
            .map(() => "It lets anyone in: name the Principal that may have these rights."),
        ...["NotAction", "NotResource", "NotPrincipal"]
            .filter((key) => key in statement)
            .map((key) => `It allows everything but what ${key} lists: name what is allowed instead.`),
    ];
}

/**
 * @param {unknown} value one text, a list of them, or a map of either
 * @returns {string[]}
 */
function texts(value) {
    return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [String(value ?? "")];
}

/**
 * Whether an ARN is one of any number of things. A wildcard may stand for all parts of one thing that has a name: the
 * streams of a log group, `arn:aws:logs:eu-west-1:123456789012:log-group:management:*`, or the objects of a bucket.
 *
 * @param {string} arn
 */
function isUnbounded(arn) {
    const [prefix, partition, service, region, account, ...rest] = arn.split(":");
    const resource = rest.join(":");
    const named = resource.replace(/[:/]\*$/, "");
    // `log-group:*` is every log group. Only a bucket has a name without a type before it.
    const isTypeOnly = named !== resource && service !== "s3" && !/[:/]/.test(named);
    return isTypeOnly || /[*?]/.test([prefix, partition, service, region, account, named].join(":"));
}

/** @type {Rule} */
const retainVolumes = {
    name: "retain-volumes",
    description: "In production stacks storage classes retain volumes whose claims are deleted.",
    // A stack is production unless its name says otherwise, so an unexpected name protects the data.
    options: { notProduction: "(^|[-_.])(ci|demo|dev|development|e2e|kind|sandbox|staging|test)([-_.]|$)" },
    violations: ({ type, props }, { name }, { notProduction }) => {
        const isClass = type.startsWith("kubernetes:storage.k8s.io/") && type.endsWith(":StorageClass");
        return !isClass || props.reclaimPolicy === "Retain" || new RegExp(notProduction).test(name)
            ? []
            : [
                  `It deletes a volume together with its claim, and the stack ${name} is production by its name: set ` +
                      "kof:storageClass.reclaimPolicy to Retain.",
              ];
    },
};

/** @type {Rule} */
const noStaticKeyOnEks = {
    name: "no-static-key-on-eks",
    description: "There is no IAM access key for a cluster on EKS, where pods can have a role.",
    violations: ({ type }, { distribution }) =>
        type === "aws:iam/accessKey:AccessKey" && distribution === "eks"
            ? [
                  "It is a key that can leak, and kof:distribution is eks: choose other credentials in kof:cloudwatch, kof:coldStorage or kof:auditArchive.",
              ]
            : [],
};

/** @type {Rule} */
const exactChartVersion = {
    name: "exact-chart-version",
    description: "Helm charts have an exact version, so that they are the same tomorrow.",
    violations: ({ type, props }) =>
        chartVersions(type, props)
            .filter((version) => valid(version) === null)
            .map(
                (version) => `It takes whatever chart is the newest of version ${version ?? "*"}: give it one version.`,
            ),
};

/**
 * The chart versions that a resource asks for. A chart in a folder, in git or in a bucket has the version that it has. Pulumi
 * shows a Chart of v4 without its inputs, as the provider's own component; the versions are in what it renders.
 *
 * @param {string} type
 * @param {Record<string, any>} props
 * @returns {(string | undefined)[]}
 */
function chartVersions(type, props) {
    if (/^kubernetes:helm\.sh\/v\d:(Chart|Release)$/.test(type)) {
        return props.chart === undefined || /^\.{0,2}\//.test(props.chart) ? [] : [props.version];
    }
    if (/^kubernetes:source\.toolkit\.fluxcd\.io\/\w+:HelmChart$/.test(type)) {
        return props.spec.sourceRef.kind === "HelmRepository" ? [props.spec.version] : [];
    }
    return [];
}

/** What a bucket has of its own, by the type of the resource, and what is wrong with that. */
const safeguards = /** @type {const} */ ({
    BucketPublicAccessBlock: {
        what: "a block of public access",
        isKept: (/** @type {Resource["props"]} */ props) =>
            ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].every(
                (each) => props[each] === true,
            ),
        otherwise:
            "It lets others in: set blockPublicAcls, blockPublicPolicy, ignorePublicAcls and restrictPublicBuckets.",
    },
    BucketOwnershipControls: {
        what: "ownership by its account",
        isKept: (/** @type {Resource["props"]} */ { rule }) => rule?.objectOwnership === "BucketOwnerEnforced",
        otherwise: "It takes objects that others own: set objectOwnership to BucketOwnerEnforced.",
    },
    BucketServerSideEncryptionConfiguration: {
        what: "encryption",
        isKept: (/** @type {Resource["props"]} */ { rules = [] }) =>
            rules.some(
                (/** @type {any} */ rule) => rule.applyServerSideEncryptionByDefault?.sseAlgorithm !== undefined,
            ),
        otherwise: "It encrypts nothing: give it a rule with an sseAlgorithm.",
    },
    BucketVersioning: {
        what: "versioning",
        isKept: (/** @type {Resource["props"]} */ props) => props.versioningConfiguration?.status === "Enabled",
        otherwise: "It keeps no version of what is overwritten or deleted: set status to Enabled.",
    },
});

/** @param {string} type */
function ofS3(type) {
    const [, name = ""] = /^aws:s3\/\w+:(\w+)$/.exec(type) ?? [];
    return name.replace(/V2$/, "");
}

/** @type {Rule} */
const safeBucket = {
    name: "safe-bucket",
    description: "S3 buckets are private, encrypted and versioned, and Pulumi does not empty them to delete them.",
    violations: ({ type, props }) => {
        const name = ofS3(type);
        if (name === "Bucket" || name === "BucketAcl") {
            return [
                ...(props.forceDestroy === true ? ["It is emptied before it is deleted: leave out forceDestroy."] : []),
                ...(String(props.acl ?? "").startsWith("public-") ? [`It is open to anyone: leave out acl.`] : []),
            ];
        }
        const found = safeguards[/** @type {keyof typeof safeguards} */ (name)];
        return found === undefined || found.isKept(props) ? [] : [found.otherwise];
    },
};

/** @type {Rule} */
const completeBucket = {
    name: "complete-bucket",
    description: "Every S3 bucket of a stack has what keeps it safe.",
    ofStack: (resources) =>
        resources
            .filter(({ type }) => ofS3(type) === "Bucket")
            .flatMap(({ props: { bucket } }) => {
                const has = resources.filter(({ props }) => props.bucket === bucket).map(({ type }) => ofS3(type));
                const missing = Object.entries(safeguards).filter(([name]) => !has.includes(name));
                return missing.map(
                    ([name, { what }]) => `Bucket ${bucket ?? "without a name"} has no ${what}: add a ${name}.`,
                );
            }),
};

/** @type {readonly Rule[]} */
const rules = [
    logRetention,
    noWildcard,
    retainVolumes,
    noStaticKeyOnEks,
    exactChartVersion,
    safeBucket,
    completeBucket,
];

module.exports = { rules };
