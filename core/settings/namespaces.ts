import { isMisspelling } from "../lib/spelling";
import type { Problem } from "./problems";

/** The namespaces of a stack's configuration that this program and its providers read. */
const namespaces = ["kof", "kubernetes", "aws"] as const;

/**
 * Keys whose namespace is misspelt. Pulumi accepts them, but nothing reads them: with `kofs:route` nothing is collected, and
 * with `kubernets:context` the stack is deployed to whichever cluster is the current one.
 *
 * @param keys of the configuration, in full: `kof:route`.
 */
export function namespaceProblems(keys: readonly string[]): Problem[] {
    return keys.flatMap((key): Problem[] => {
        const [namespace = "", ...rest] = key.split(":");
        const meant = namespaces.find((known) => isMisspelt(namespace, known));
        return meant === undefined
            ? []
            : [{ key, message: `is read by nobody. Did you mean ${meant}:${rest.join(":")}?`, allowed: list }];
    });
}

const list = namespaces.map((each) => `${each}:…`).join(", ");

/** How people call Kubernetes for short. */
const short = ["k8s", "kube"];

/** `awsx` is a package of its own. */
function isMisspelt(namespace: string, known: string): boolean {
    const wanted = namespace.toLowerCase();
    const isNear =
        isMisspelling(wanted, known, "namespace") ||
        sorted(wanted) === sorted(known) ||
        (known === "kubernetes" && short.includes(wanted));
    return namespace !== known && wanted !== "awsx" && isNear;
}

function sorted(word: string): string {
    return word.split("").sort().join("");
}
