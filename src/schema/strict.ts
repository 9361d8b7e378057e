import { z } from 'zod';
import { didYouMean } from './suggest.ts';

/** What the issue of a key that is not known carries, for who words it anew. */
export const unknownKey = { is_unknown_key: true } as const;

/**
 * An object in which an unknown key is an error at the line of that key, with the key that was
 * probably meant. zod's own strict object reports the object, not the key.
 */
export function strict<S extends z.core.$ZodLooseShape>(shape: S): z.ZodObject<S, z.core.$strict> {
    const known = Object.keys(shape);
    const refused = z.custom<never>(() => false, {
        params: unknownKey,
        error: ({ path }) => {
            const key = String(path?.at(-1) ?? '');
            return `unknown key "${key}". ${didYouMean(key, known)}`;
        },
    });
    return z.object(shape).catchall(refused) as unknown as z.ZodObject<S, z.core.$strict>;
}
