import { readConfiguration } from "./stacks/config";
import { checkChange, lastDeployment } from "./stacks/deployed";
import { createEnvironment } from "./stacks/environment";
import { lookAtAws } from "./stacks/logGroups";
import { checkPlace, connectToCluster, type Connect } from "./stacks/place";

// Pulumi calls what the program exports, and takes what it returns for the stack's outputs.
export = async (stackFile?: string, connect: Connect = connectToCluster) => {
    const deployed = await lastDeployment();
    const configuration = readConfiguration(stackFile, deployed);
    const { place } = await checkPlace(configuration, deployed, connect);
    const aws = await lookAtAws(configuration, deployed);
    const change = checkChange(configuration, deployed, aws);
    return createEnvironment(configuration, { change, deployed, aws, place });
};
