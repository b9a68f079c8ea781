import { readConfiguration } from "./stacks/config";
import { createEnvironment } from "./stacks/environment";

// Pulumi calls what the program exports, and takes what it returns for the stack's outputs.
export = (stackFile?: string) => createEnvironment(readConfiguration(stackFile));
