/** The output under which a stack remembers where it runs. */
export const placeOutput = "cluster";

/** Where a stack runs. It stays there: an engine that is led elsewhere takes what runs for lost, or deletes it. */
export type Place =
    | {
          /** UID of namespace kube-system: the same whatever the cluster's address, certificates and credentials are. */
          readonly uid: string;
          /** The name that the stack has put on the cluster; another one after `pulumi stack rename`. */
          readonly stack: string;
      }
    | {
          /** The folder that Kubernetes objects are written to, as the stack file has it. */
          readonly folder: string;
      };

/** The output under which a stack remembers what it has asked Flux to try again. */
export const retriesOutput = "retries";

/** Per HelmRelease a value that asks Flux, once, to try again. */
export type Retries = Readonly<Record<string, string>>;

/** The output under which a stack remembers the settings that it was last deployed with. */
export const settingsOutput = "settings";

/** The output under which a stack remembers its log groups. */
export const logGroupsOutput = "cloudwatch";

/** What a stack remembers of its CloudWatch log groups, on whichever route it is now. */
export interface RememberedLogGroups {
    /** The one of the logs, which the stack keeps where its stack file names none. */
    readonly logGroup: string;
    /** Those that the stack made, as `NAME@REGION`: the only ones that it may delete. */
    readonly made: readonly string[];
}

/** What a stack remembers of its last deployment: the outputs that the next one is compared with. */
export interface Deployed {
    /** The settings of the last deployment that was completed, with which the next is compared, as {@link rememberedSettings} left them. */
    readonly [settingsOutput]: Readonly<Record<string, unknown>>;
    /** What stood in `kof:acknowledge` in any deployment that was completed. */
    readonly acknowledged?: readonly string[];
    /**
     * The fewest copies of each metric that any deployment asked for. Missing where nobody knows: after one of an older version
     * of this program, and where a KOF was taken over.
     */
    readonly fewestCopies?: number;
    /** What deployments have left behind, by what it is the command that removes it. */
    readonly left?: Readonly<Record<string, string>>;
    /** Missing in what versions up to 0.1.0 have left, and where the stack was never on route `cloudwatch`. */
    readonly [logGroupsOutput]?: RememberedLogGroups;
    /** Where it was; `undefined` where an older version of this program made it. */
    readonly [placeOutput]?: Place;
    readonly [retriesOutput]?: Retries;
}
