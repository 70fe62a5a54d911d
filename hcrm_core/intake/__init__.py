"""Land, translate, fold: from the bytes of a source to facts and customers."""
