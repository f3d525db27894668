"""Users' own pictures of ECG pages: judged, prepared for networks, read back to millivolt.

`evidence`: is it a page at all? `evening`: what a network sees of it, its light evened out.
`one_lead`: does it show one lead instead of twelve?
`likeness`: is it like the pages that a model learnt from? `digitising`: the signal that it shows;
`rebuilding`: a recording of its typical beats, to be measured.
"""
