import { readConfiguration } from "./stacks/config";
import { checkChange, lastDeployment } from "./stacks/deployed";
import { createEnvironment } from "./stacks/environment";
import { lookAtAws } from "./stacks/logGroups";

// Pulumi calls what the program exports, and takes what it returns for the stack's outputs.
export = async (stackFile?: string) => {
    const deployed = await lastDeployment();
    const configuration = readConfiguration(stackFile, deployed);
    const aws = await lookAtAws(configuration, deployed);
    const change = checkChange(configuration, deployed, aws);
    return createEnvironment(configuration, { change, deployed, aws });
};
