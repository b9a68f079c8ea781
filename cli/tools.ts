import { UserError } from "../errors";
import { Missing, modules, programs } from "../tools/build";
import { parseOptions, run } from "./command";

const usage = `Usage: npm run tools

Builds what the tests run against, unless it was built before: Kubernetes' API server, Pulumi's engine and Kubernetes provider,
and the stores of KOF. Prints the folders. Needs Go; on two cores it takes half an hour the first time.`;

run(async () => {
    parseOptions(usage, {});
    for (const module of modules) {
        try {
            console.log(await programs(module));
        } catch (error) {
            throw error instanceof Missing ? new UserError(error.message) : error;
        }
    }
});
