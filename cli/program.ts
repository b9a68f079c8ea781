import "./unused";
import { runProgram, type OfflineRun, type RunOptions } from "./offline";
import type { StackFile } from "./stackFile";
import environment = require("..");

/** Runs this project's own program as {@link runProgram} does. */
export function runOffline(stackFile: StackFile, options: RunOptions): Promise<OfflineRun> {
    return runProgram(environment, stackFile, options);
}
