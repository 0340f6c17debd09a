"""`--re-embed`: vectors are made anew from the texts of a source, by the model of the target."""
