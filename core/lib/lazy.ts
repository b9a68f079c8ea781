/**
 * Adds properties that are computed when they are first read, and then kept: most readers need few of them.
 *
 * @param known what there is already. It is not changed.
 * @param lazy computes each property.
 */
export function lazily<Known extends object, Lazy extends object>(
    known: Known,
    lazy: { readonly [K in keyof Lazy]: () => Lazy[K] },
): Known & Lazy {
    const whole = { ...known };
    for (const [name, workOut] of Object.entries<() => unknown>(lazy)) {
        Object.defineProperty(whole, name, {
            configurable: true,
            enumerable: true,
            get: () => {
                const value = workOut();
                Object.defineProperty(whole, name, { configurable: true, enumerable: true, value });
                return value;
            },
        });
    }
    return whole as Known & Lazy;
}

/** A function of one object that computes its result once per object. The object must never change in place. */
export function oncePer<Of extends object, Result>(workOut: (of: Of) => Result): (of: Of) => Result {
    const known = new WeakMap<Of, { readonly result: Result }>();
    return (of) => {
        const found = known.get(of) ?? { result: workOut(of) };
        known.set(of, found);
        return found.result;
    };
}
