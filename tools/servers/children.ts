import { spawn, type ChildProcess } from "node:child_process";
import type { Socket } from "node:net";

const ends = new Set<() => void>();
let listening = false;

/**
 * Has something happen when this process ends: by itself, by Ctrl-C or by SIGTERM. Node runs its handlers of `exit` only in
 * the first case, and servers that nothing ends run for days.
 *
 * @param end what to do, without waiting for anything.
 * @returns takes it back.
 */
export function atEnd(end: () => void): () => void {
    if (!listening) {
        listening = true;
        process.once("exit", endAll);
        for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
            process.on(signal, () => {
                // Who handles the signal as well ends in its own way.
                if (process.listenerCount(signal) === 1) {
                    process.exit(128 + number);
                }
            });
        }
    }
    ends.add(end);
    return () => ends.delete(end);
}

/** The last first, and all of them: a folder goes after what writes to it, and may be left where that takes a moment to end. */
function endAll(): void {
    for (const end of [...ends].reverse()) {
        try {
            end();
        } catch (error) {
            console.error(error);
        }
    }
}

/** Kills a child process when this one ends, however that is. */
export function endWithThisProcess(child: ChildProcess): void {
    const takeBack = atEnd(() => child.kill("SIGKILL"));
    survivor ??= startSurvivor();
    const { stdin } = survivor;
    stdin?.write(`${String(child.pid)}\n`);
    child.once("exit", () => {
        takeBack();
        stdin?.write(`-${String(child.pid)}\n`);
    });
}

/** Outlives this process, and kills its children then: nothing of this process runs after a SIGKILL. */
let survivor: ChildProcess | undefined;

function startSurvivor(): ChildProcess {
    const script = `children=" "
        while read -r pid; do
            case $pid in
            -*) children="\${children%% \${pid#-} *} \${children#* \${pid#-} }" ;;
            *) children="$children$pid " ;;
            esac
        done
        kill -KILL $children 2> /dev/null`;
    // In a group of its own: what ends this process by its group would end that one too.
    const child = spawn("sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    child.unref();
    (child.stdin as unknown as Socket).unref();
    // Where it cannot run or was ended, this process does without.
    child.on("error", () => undefined);
    child.stdin.on("error", () => undefined);
    return child;
}
