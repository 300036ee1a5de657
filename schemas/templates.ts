import { z } from 'zod';
import { count, utcInstant } from './cells.ts';

/** One template as Meta's `message_templates` lists it; more fields are ignored. */
const templateSchema = z.object({
  name: z.string().min(1).max(512),
  language: z.string().min(1).max(20),
  category: z.string().min(1).max(64),
  status: z.string().max(64).default(''),
});

const listSchema = z.object({ data: z.array(templateSchema) });

/**
 * Meta's answer to `GET /<WABA>/message_templates`, or to `GET /<WABA>?fields=message_templates`, which names the account. An
 * array of either holds its pages.
 */
const answerSchema = z.union([
  listSchema.transform(({ data }) => ({ waba_id: null, templates: data })),
  z
    .object({ id: z.string().min(1), message_templates: listSchema })
    .transform(({ id, message_templates }) => ({ waba_id: id, templates: message_templates.data })),
]);

export const templateFileSchema = z.union([answerSchema.transform((answer) => [answer]), z.array(answerSchema)]);

/** A template that the ledger knows by an import. */
export const listedTemplateRow = z.object({
  /** Empty: of any account. */
  waba_id: z.string(),
  name: z.string(),
  language: z.string(),
  category: z.string(),
  status: z.string(),
  imported_at: z.string(),
  imported_by: z.string(),
});
export type ListedTemplate = z.infer<typeof listedTemplateRow>;

/** An import of templates, whatever became of it. */
export const templateImportSchema = z.object({
  import_id: z.string(),
  name: z.string(),
  checksum: z.string(),
  templates: count,
  /** `replaced`: later imports name every one of its templates. */
  state: z.enum(['holds', 'replaced', 'withdrawn']),
  imported_at: utcInstant,
  imported_by: z.string(),
  withdrawn_at: utcInstant.nullable(),
  withdrawn_by: z.string(),
});
export type TemplateImport = z.infer<typeof templateImportSchema>;

/** What an import of templates did. */
export interface DoneTemplateImport {
  readonly templates: number;
  readonly added: number;
  /** Those that had another category before. */
  readonly recategorised: readonly {
    readonly name: string;
    readonly language: string;
    readonly from: string;
    readonly to: string;
  }[];
}
