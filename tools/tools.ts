import { modules, programs, pythonWithEmulator } from "./build";
import { parseOptions, run } from "../cli/command";

const usage = `Usage: npm run tools

Nothing is required. Builds what the tests run against, unless it was built before: Kubernetes' API server, Pulumi's engine and Kubernetes provider,
the stores of KOF, a collector, and an emulated AWS. Prints where they are. Needs Go, Python 3 and a package index; on two cores
it takes half an hour the first time.`;

run(async () => {
    parseOptions(usage, {});
    for (const module of modules) {
        console.log(await programs(module));
    }
    console.log(await pythonWithEmulator());
});
