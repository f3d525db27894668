"""Users' own pictures of ECG pages, judged and prepared; nothing is measured on them.

`evidence`: is it a page at all? `evening`: what a network sees of it, its light evened out.
`one_lead`: does it show one lead instead of twelve?
`likeness`: is it like the pages that a model learnt from?
"""
