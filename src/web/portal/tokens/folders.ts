import type { Person } from '../../../management/caller.ts';
import { type BrowsableRoute, type Collections, placeOf, placesOn } from '../../../management/collections.ts';
import { isRefused } from '../../../management/refused.ts';
import { Fault } from '../../../core/errors.ts';
import type { WebContext } from '../../context.ts';
import type { Form } from '../../forms.ts';
import { confirmationFields } from '../confirm-page.ts';
import type { Frame } from '../frame.ts';
import { renderFolders } from './folder-page.ts';

/** The pages that look through folders while a form is being filled in. */
export interface FolderPages {
  /** Shows what lies within a folder (decoded), or the choice of places. */
  show(c: WebContext, person: Person, frame: Frame, form: Form, path: string | null): Promise<Response>;
}

/** See `FolderPages`. A backend that fails leaves the person with the way to type the folder. */
export function createFolderPages(collections: Collections): FolderPages {
  return {
    async show(c, person, frame, form, path) {
      const { host } = new URL(frame.origin);
      const places = placesOn(collections, host);
      const place = path === null ? onlyPlace(places) : placeOf(places, path);
      const at = path ?? place?.path ?? null;
      const folders = at === null || place === null ? null : await within(person, place.host ?? host, at);
      const { pathname, search } = new URL(c.req.url);
      const view = {
        ...{ places, folders, path: at, top: places.length > 1 ? (place?.path ?? null) : null },
        action: pathname + search,
        fields: form.fields.filter(([name]) => name !== 'step' && !confirmationFields.has(name)),
      };
      return c.html(renderFolders(frame, view));
    },
  };

  async function within(person: Person, host: string, path: string) {
    try {
      const found = await collections.within(person, host, path);
      return isRefused(found) ? null : found;
    } catch (error) {
      if (error instanceof Fault) return null;
      throw error;
    }
  }
}

function onlyPlace(places: readonly BrowsableRoute[]): BrowsableRoute | null {
  return places.length === 1 ? (places[0] ?? null) : null;
}
