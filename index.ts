import { checkAws } from "./stacks/aws";
import { checkBuckets } from "./stacks/buckets";
import { readConfiguration } from "./stacks/config";
import { checkChange, lastDeployment } from "./stacks/deployed";
import { createEnvironment } from "./stacks/environment";
import { adopted, checkExisting, findInstall } from "./stacks/existing";
import { checkPlace, connectToCluster, type Connect } from "./stacks/place";
import { retriesOf } from "./stacks/retries";

// Pulumi calls the exported function, and uses its result as the stack's outputs.
export = async (stackFile?: string, connect: Connect = connectToCluster) => {
    const deployed = await lastDeployment();
    const configuration = readConfiguration(stackFile, deployed);
    const { place, cluster } = await checkPlace(configuration, deployed, connect);
    const takenOver = deployed ? undefined : await findInstall(configuration, cluster);
    const aws = await checkAws(configuration, deployed);
    const change = deployed
        ? checkChange(configuration, deployed, aws)
        : checkChange(configuration, takenOver, aws, adopted);
    checkBuckets(configuration, change?.from, aws);
    if (deployed && change && cluster) {
        await checkExisting(configuration, change.from, cluster);
    }
    const retries = await retriesOf(deployed?.retries, cluster);
    return createEnvironment(configuration, { change, deployed, aws, place, cluster, retries });
};
