"""Somebody's photographs: what is in a folder or zip (`album`), one of them decoded (`decode`), all of them,
once (`prepare`, `journal`); CelebA's list of attributes, and where CelebA can be fetched (`mirrors`)."""
