// Brings in what `event.platform` holds under this adapter.
import '@sveltejs/adapter-node';
