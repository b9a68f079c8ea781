import { readConfiguration } from "./stacks/config";
import { checkChange } from "./stacks/deployed";
import { createEnvironment } from "./stacks/environment";

// Pulumi calls what the program exports, and takes what it returns for the stack's outputs.
export = async (stackFile?: string) => {
    const configuration = readConfiguration(stackFile);
    const plan = await checkChange(configuration.route, configuration.source);
    return createEnvironment(configuration, plan);
};
