import type { Deployment } from "../../routes/deployment";
import { notice, type Consequences } from "./consequence";
import { isSameRouting } from "./moves";

/** The consequences if an object changes hands between the program and another maker. */
export function* takeoverConsequences(from: Deployment, to: Deployment): Consequences {
    yield* classConsequences(from, to);
    // If kof:adopt stays after the first deployment, it keeps taking over every object of the same name.
    if (to.settings.adopt && !isSameRouting(from, to)) {
        const [when, names] =
            from.settings.route === to.settings.route
                ? ["signals go elsewhere", "this uses"]
                : ["the route changes", `route ${to.settings.route} uses`];
        yield notice(
            "kof:adopt",
            `is true while ${when}: objects that exist under the names that ${names} are overwritten, no matter who made them`,
            { way: "remove it once the installed KOF has been taken over", paste: { "kof:adopt": false } },
        );
    }
}

/** A storage class that the program made becomes one that it only uses, or the reverse. */
function* classConsequences(from: Deployment, to: Deployment): Consequences {
    const [was, is] = [from.settings.storageClass, to.settings.storageClass];
    if (!was || was.name !== is?.name || was.create === is.create) {
        return;
    }
    const { name } = is;
    const key = "kof:storageClass.create";
    const acknowledge = `class ${name} create ${String(was.create)}->${String(is.create)}`;
    if (!is.create) {
        yield {
            severity: "impossible",
            key,
            message:
                `is false, which uses a class that exists, but ${name} is the program's own, and this deployment deletes it. Volumes that ` +
                "exist go on working; no new one of that class could be made, and none made larger",
            way:
                `keep it; or save it first (kubectl get storageclass ${name} -o yaml > class.yaml), acknowledge this, and put it back ` +
                "after the deployment (kubectl apply -f class.yaml)",
            paste: { "kof:storageClass": was },
            acknowledge,
        };
    } else if (to.settings.adopt) {
        yield notice(key, `takes over the class ${name}, which goes with pulumi destroy from now on`);
    } else {
        yield {
            severity: "impossible",
            key,
            message: `is true, but the class ${name} already exists, and this stack did not make it`,
            way:
                "take it over, where it is as the settings say; or delete it first, which leaves volumes alone " +
                `(kubectl delete storageclass ${name}), and then acknowledge this`,
            paste: { "kof:adopt": true },
            acknowledge,
        };
    }
}
