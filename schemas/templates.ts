import { z } from 'zod';
import { count, utcInstant } from './cells.ts';

/** One template in Meta's `message_templates`; other fields are ignored. */
const templateSchema = z.object({
  name: z.string().min(1).max(512),
  language: z.string().min(1).max(20),
  category: z.string().min(1).max(64),
  status: z.string().max(64).default(''),
});

const listSchema = z.object({ data: z.array(templateSchema) });

/**
 * Meta's answer to `GET /<WABA>/message_templates`, or to `GET /<WABA>?fields=message_templates`, which names the
 * account. An array of either holds its pages.
 */
const answerSchema = z.union([
  listSchema.transform(({ data }) => ({ waba_id: null, templates: data })),
  z
    .object({ id: z.string().min(1), message_templates: listSchema })
    .transform(({ id, message_templates }) => ({ waba_id: id, templates: message_templates.data })),
]);

export const templateFileSchema = z.union([answerSchema.transform((answer) => [answer]), z.array(answerSchema)]);

/** An imported template. */
export const listedTemplateRow = z.object({
  /** Empty = of any account. */
  waba_id: z.string(),
  name: z.string(),
  language: z.string(),
  category: z.string(),
  status: z.string(),
  imported_at: z.string(),
  imported_by: z.string(),
});
export type ListedTemplate = z.infer<typeof listedTemplateRow>;

/** An import of templates, whatever its state. */
export const templateImportSchema = z.object({
  import_id: z.string(),
  name: z.string(),
  checksum: z.string(),
  templates: count,
  /** `replaced`: later imports have every one of its templates. */
  state: z.enum(['holds', 'replaced', 'withdrawn']),
  imported_at: utcInstant,
  imported_by: z.string(),
  withdrawn_at: utcInstant.nullable(),
  withdrawn_by: z.string(),
});
export type TemplateImport = z.infer<typeof templateImportSchema>;

/** The result of an import of templates. */
export interface DoneTemplateImport {
  readonly templates: number;
  readonly added: number;
  /** Templates that had another category before. */
  readonly recategorised: readonly {
    readonly name: string;
    readonly language: string;
    readonly from: string;
    readonly to: string;
  }[];
}
