/** The namespace of KOF. Fixed: kof-operator has it in service addresses and secret copies. */
export const kofNamespace = "kof";
