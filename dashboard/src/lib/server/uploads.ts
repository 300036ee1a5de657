/** A form with a file; null when it is too large. Kit's own limit is above that of a file, so that it can be said why. */
export async function uploadedForm(request: Request): Promise<FormData | null> {
  try {
    return await request.formData();
  } catch {
    return null;
  }
}
