import type { InstalledClaim } from "./claims";

/** What the operator adds to what the values say. */
export interface AdoptionOptions {
    /** KOF version. Default: the only one that reads all of the values. */
    readonly version?: string | undefined;
    /** The region. Default: the one that the values name, or whose checksum they have. */
    readonly region?: NamedRegion | undefined;
    /** `kof:cloudwatch.credentials`, where the values do not tell them. */
    readonly credentials?: unknown;
    /** What the cluster showed. */
    readonly cluster?: ClusterFacts | undefined;
}

/** What a cluster shows and values do not; `undefined` if it could not be read. */
export interface ClusterFacts {
    readonly claims?: readonly InstalledClaim[] | undefined;
    /** Whether the namespace is in the Istio mesh. */
    readonly istio?: boolean | undefined;
    /** The regional ClusterDeployments. */
    readonly regions?: readonly Region[] | undefined;
    /** Who issues the tokens of service accounts: an https:// URL. */
    readonly issuer?: string | undefined;
}

/** The regional ClusterDeployment, as the person who adopts names it. */
export interface NamedRegion {
    readonly cluster: string;
    readonly namespace?: string | undefined;
}

/** A regional ClusterDeployment. */
export interface Region {
    readonly cluster: string;
    readonly namespace: string;
}
