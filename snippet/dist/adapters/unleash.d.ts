interface Variant {
    readonly name: string;
    readonly enabled: boolean;
}
interface Client {
    on(event: string, listener: (impression: any) => void): unknown;
    getAllToggles(): readonly {
        readonly name: string;
        readonly variant?: Variant;
    }[];
}
export declare const tellExposures: (client: Client) => void;
export {};
