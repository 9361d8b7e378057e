import type { Deliveries } from '../schema/deliveries.ts';
import type { Opening, Target } from './target.ts';

/** Every target by its name; what talks to one is loaded only when it is asked for. */
export const targets = {
    webhook: async (opening: Opening<Deliveries>) => {
        const { webhookTarget } = await import('./webhook.ts');
        const { webhook } = opening.settings;
        return webhook ? webhookTarget({ ...opening, settings: webhook }) : null;
    },
    netsuite: async (opening: Opening<Deliveries>) => {
        const { netsuiteTarget } = await import('./netsuite.ts');
        const { netsuite } = opening.settings;
        return netsuite ? netsuiteTarget({ ...opening, settings: netsuite }) : null;
    },
    stripe: async (opening: Opening<Deliveries>) => {
        const { stripe } = opening.settings;
        if (!stripe) return null;
        const { stripeTarget } = await import('./stripe.ts');
        return stripeTarget({ ...opening, settings: stripe });
    },
    salesforce: async (opening: Opening<Deliveries>) => {
        const { salesforceTarget } = await import('./salesforce.ts');
        const { salesforce } = opening.settings;
        return salesforce ? salesforceTarget({ ...opening, settings: salesforce }) : null;
    },
} satisfies Record<string, (opening: Opening<Deliveries>) => Promise<Target | null>>;

export type TargetName = keyof typeof targets;

export const isTargetName = (name: string): name is TargetName => Object.hasOwn(targets, name);
