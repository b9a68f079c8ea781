/** Where a stack runs. It stays there. On another cluster, the engine would regard its resources as lost, or delete them. */
export type Place =
    | {
          /** UID of namespace kube-system, which does not depend on the cluster's address, certificates and credentials. */
          readonly uid: string;
          /** The name that the stack has put on the cluster; another one after `pulumi stack rename`. */
          readonly stack: string;
      }
    | {
          /** The folder for Kubernetes objects, as in the stack file. */
          readonly folder: string;
      };

/** For each HelmRelease, a value that asks Flux once to retry. */
export type Retries = Readonly<Record<string, string>>;

/** What a stack remembers of its last deployment: the outputs that the next one is compared with. */
export interface Deployed {
    /** The settings of the last deployment that was completed, with which the next is compared, as {@link rememberedSettings} left them. */
    readonly settings: Readonly<Record<string, unknown>>;
    /** The text of `kof:acknowledge` in every completed deployment. */
    readonly acknowledged?: readonly string[];
    /**
     * The fewest copies of each metric that any deployment asked for. Missing if it is not known: after a deployment by an older version
     * of this program, and after a takeover of KOF.
     */
    readonly fewestCopies?: number;
    /** The command that removes each thing that deployments have left behind. */
    readonly left?: Readonly<Record<string, string>>;
    /**
     * Its CloudWatch log groups, on whichever route it is now. Missing in what versions up to 0.1.0 have left, and where the stack was
     * never on route `cloudwatch`.
     */
    readonly cloudwatch?: {
        /** The group of the logs, which the stack keeps if its stack file names none. */
        readonly logGroup: string;
        /** Those that the stack made, as `NAME@REGION`: the only ones that it may delete. */
        readonly made: readonly string[];
    };
    /** Where it was; `undefined` where an older version of this program made it. */
    readonly cluster?: Place;
    /** What it has asked Flux to try again. */
    readonly retries?: Retries;
}
