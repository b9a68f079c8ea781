import { MissingTool, programs, pythonWithEmulator } from "../../tools/build";
import { onPath } from "../../tools/engine/engine";

/** Has what the cases run on built and installed once, before mocha starts workers that would all do it. */
export async function mochaGlobalSetup(): Promise<void> {
    const { KUBECONFIG, AWS_ENDPOINT_URL } = process.env;
    try {
        if (onPath("pulumi") === undefined) {
            await programs("pulumi");
            await programs("pulumi-kubernetes");
        }
        if (!KUBECONFIG) {
            await programs("kubernetes");
        }
        if (!AWS_ENDPOINT_URL) {
            await pythonWithEmulator();
        }
    } catch (error) {
        // Each suite says so, and is skipped or fails.
        if (!(error instanceof MissingTool)) {
            throw error;
        }
    }
}
