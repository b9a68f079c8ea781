import { UserError, CouldNotCheck } from "../core/lib/errors";
import { growVolumes } from "../live/growth";
import { keyOf, toPaste } from "../core/routes/stored";
import type { Volume } from "../core/routes/volumes";
import { writeYaml } from "../core/lib/yaml/write";
import { parseOptions, run, whenStopped } from "./command";
import { connect } from "./live";
import { readNamedStackFile, deploymentOfFile, stackFileOptions, type StackFile } from "./stackFile";

const usage = `Usage: npm run grow -- --stack NAME --signal logs --size 200Gi
       npm run grow -- --config FILE --signal traces --size 200Gi

Enlarges the volumes of logs or traces without a restart. A setting alone cannot do that. Works on the cluster of kubernetes:context, or
the current one of your kubeconfig. Prints what to set afterwards. Run it again after a failure.

Required: a stack, --signal (logs or traces) and --size, a Kubernetes quantity that is larger than the volumes are.`;

const options = { ...stackFileOptions, signal: { type: "string" }, size: { type: "string" } } as const;

/**
 * The volumes of a signal that only this command can make larger.
 *
 * @throws UserError for a signal without such volumes: what to do instead.
 */
export function volumesToGrow(stackFile: StackFile, signal: string): Volume {
    const deployment = deploymentOfFile(stackFile);
    const volumes = deployment.volumes.filter((volume) => volume.signal === signal && volume.retention !== undefined);
    const [volume] = volumes;
    if (!volume) {
        const here = [...new Set(deployment.volumes.map((each) => each.signal))].join(", ");
        throw new UserError(
            `Route ${deployment.settings.route} has no volumes of ${signal} on this cluster. It has: ${here}.`,
        );
    }
    if (volume.expands) {
        throw new UserError(
            `Volumes of ${signal} grow by their setting: the VictoriaMetrics operator does what this command does. Set ` +
                `${keyOf(deployment, volume.source, "size")} and run pulumi up.`,
        );
    }
    return volume;
}

if (require.main === module) {
    run(async () => {
        const { signal, size, ...choice } = parseOptions(usage, options);
        const missing = Object.entries({ signal, size }).filter(([, value]) => value === undefined);
        if (signal === undefined || size === undefined) {
            throw new UserError(`${missing.map(([name]) => `--${name} is missing.`).join("\n")}\n\n${usage}`);
        }
        if (!/^[1-9]\d*(\.\d+)?([KMGTPE]i|[kMGTPE])$/.test(size)) {
            throw new UserError(`--size ${size} is no quantity of Kubernetes. Write 200Gi.\n\n${usage}`);
        }
        const stackFile = readNamedStackFile(choice, usage);
        const volume = volumesToGrow(stackFile, signal);
        const { kubernetes: api, deployment } = connect(stackFile);
        console.log(`Cluster ${api.server}`);
        const stopped = new AbortController();
        whenStopped(() => {
            console.error("Stopping. What was paused goes on first.");
            stopped.abort();
        });
        const before = await growVolumes(api, volume, size, { say: console.log, signal: stopped.signal }).catch(
            (error: unknown) => {
                const isExpected = error instanceof CouldNotCheck || error instanceof UserError;
                if (!isExpected && !stopped.signal.aborted) {
                    throw error;
                }
                const why = isExpected ? error.message : "Stopped.";
                throw new UserError(`${why}\n\nWhat is done stays done. To go on, run the same command again.`);
            },
        );
        const set = {
            ...toPaste(deployment, volume.source, "size", size),
            "kof:acknowledge": `${signal} ${before}->${size}`,
        };
        console.log(`\nNow set in ${stackFile.file}, and run pulumi up:\n\n${writeYaml(set).trimEnd()}`);
    });
}
