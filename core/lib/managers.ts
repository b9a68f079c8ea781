/** Whether Pulumi made an object, by who manages its fields. */
export function isPulumis({ managedFields = [] }: Managed): boolean {
    return managedFields.some(({ manager }) => manager?.startsWith("pulumi-kubernetes") === true);
}

/** The metadata of an object, as far as they tell who made it. */
interface Managed {
    readonly managedFields?: readonly { readonly manager?: string }[];
}
