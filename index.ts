import { readConfiguration } from "./stacks/config";
import { checkChange, lastDeployment } from "./stacks/deployed";
import { createEnvironment } from "./stacks/environment";

// Pulumi calls what the program exports, and takes what it returns for the stack's outputs.
export = async (stackFile?: string) => {
    const configuration = readConfiguration(stackFile);
    const deployed = await lastDeployment();
    const change = checkChange(configuration, deployed);
    return createEnvironment(configuration, change, deployed);
};
